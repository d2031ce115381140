"""A paper's numbers beside ours."""

import json

import pytest
from scipy import stats

from resnet_jax.cli import main
from resnet_jax.lab.reporting import report
from resnet_jax.lab.results.folder import Folder

pytestmark = pytest.mark.usefixtures("blank_figures")

PAPER = """
    paper=Paper(
        source="He et al. 2015, Table 6",
        figures={("resnet", 20): 8.75, ("resnet", 56): 6.97, ("plain", 56): "fail"},
        words="CIFAR-10, 64,000 steps, one run",
    ),
    scales={"paper": {"setup": "As there."}},
)
"""


@pytest.fixture
def folder(results: Folder) -> Folder:
    """Results of an experiment with a paper; of three deep plain runs, two fail."""
    text = results.experiment.read_text().replace("import Experiment", "import Experiment, Paper")
    results.experiment.write_text(text.rstrip().removesuffix(")") + PAPER)
    for seed, error in enumerate((12.0, 40.0, 50.0)):
        path = results.runs / f"plain56-seed{seed}-abcdef"
        result = json.loads((path / "result.json").read_text())
        result["final"]["test_error"] = error
        (path / "result.json").write_text(json.dumps(result))
    for path in results.runs.iterdir():
        config = {
            "data": {"name": "digits"},
            "model": {"name": path.name.partition("-")[0]},
            "train": {"steps": 300, "epochs": 0.0, "batch_size": 32},
        }
        (path / "config.json").write_text(json.dumps(config))
    return results


def test_each_cell_with_a_published_number_has_a_row(folder: Folder):
    found = report.read(folder.path).comparison
    assert found is not None
    assert found.table.head == [
        "family", "layers", "paper", "ours, mean", "95% interval", "fail", "n",
    ]  # fmt: skip
    rows = {(row[0], row[1]): row[2:] for row in found.table.rows}
    assert list(rows) == [("plain", "56"), ("residual", "20"), ("residual", "56")]
    assert rows["residual", "56"][0] == "6.97"
    assert rows["residual", "56"][3:] == ["0 of 3", "3"]
    table = report.read(folder.path).table  # of which the interval is the same
    (cell,) = table.query(
        "family == 'plain' and depth == 56 and measure == 'test_error'"
    ).itertuples()
    assert stats.t.interval(0.95, 2, 34.0, stats.sem([12.0, 40.0, 50.0]))[0] < cell.low == 0.0
    interval = f"{cell.low:.2f} to {cell.high:.2f}"
    assert rows["plain", "56"] == ["fail", "34.00", interval, "2 of 3", "3"]


def test_diverged_runs_count_as_failed(folder: Folder, diverge):
    diverge("plain56-seed0-abcdef")
    found = report.read(folder.path).comparison
    assert found is not None
    assert found.table.rows[0][5:] == ["3 of 3", "3"]


def test_warning_about_another_scale_precedes_the_table(folder: Folder, page_at, capsys):
    warning = (
        "Our runs are at the scale “default”, not at the paper’s: data digits; networks plain20, "
        "plain32, plain56, resnet20, resnet32, resnet56; 300 steps, batch size 32. The paper’s "
        "set-up: CIFAR-10, 64,000 steps, one run."
    )
    assert main(["report", str(folder.path)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    text = page_at(folder.report).text
    for shown in (told, text):
        assert warning in shown
        assert shown.index(warning) < shown.index("ours, mean")
    assert "He et al. 2015, Table 6: CIFAR-10, 64,000 steps, one run" in text
    assert "fail: error above 20%" in text


def test_no_warning_at_the_papers_scale(folder: Folder):
    plan = json.loads(folder.plan.read_text())
    folder.plan.write_text(json.dumps(plan | {"scale": "paper"}))
    found = report.read(folder.path).comparison
    assert found is not None
    assert found.warning == ""


def test_table_without_runs_has_no_numbers(folder: Folder):
    for path in folder.runs.iterdir():
        (path / "result.json").unlink()
        (path / "config.json").unlink()
    found = report.read(folder.path).comparison
    assert found is not None
    assert found.table.rows[0][2:] == ["fail", "–", "–", "–", "0"]
    assert "“default”, not at the paper’s. The paper’s" in found.warning


def test_an_experiment_without_a_paper_has_no_such_table(results: Folder, page_at):
    assert report.build(results.path).comparison is None
    assert "Comparison with the paper" not in page_at(results.report).text


def test_networks_of_the_paper_are_named(folder: Folder):
    text = folder.experiment.read_text()
    twice = 'networks=lambda family, depth: f"{family}-{2 * depth}", words='
    folder.experiment.write_text(text.replace("words=", twice))
    found = report.read(folder.path).comparison
    assert found is not None
    assert found.table.head[:4] == ["family", "layers", "the paper's network", "paper"]
    assert ["residual", "56", "resnet-112", "6.97"] in [row[:4] for row in found.table.rows]


def test_paper_without_numbers_for_the_grid_has_no_table(folder: Folder, page_at):
    text = folder.experiment.read_text()
    folder.experiment.write_text(text.replace("figures={(", "figures={} and {("))
    assert report.build(folder.path).comparison is None
    assert "Comparison with the paper" not in page_at(folder.report).text
