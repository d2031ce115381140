"""The main table: its arrangement, what is bold, the paper's numbers, Markdown and LaTeX."""

import json
import re

import numpy as np
import pytest
from scipy import stats

from resnet_jax.cli import main
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.figures import Final
from resnet_jax.lab.reporting import formats, report
from resnet_jax.lab.reporting.main_table import MainTable, columns_axis
from resnet_jax.lab.results.folder import Folder

ERRORS = {
    ("plain", 20): (3.0, 3.5, 4.0),
    ("resnet", 20): (3.2, 3.4, 3.6),
    ("plain", 56): (60.0, 70.0, 80.0),
    ("resnet", 56): (1.0, 1.0, 1.0),
}
"""Test errors by seed. At 20 layers the two are alike, at 56 they are not."""


def write_errors(results: Folder, errors: dict = ERRORS) -> None:
    for (family, depth), values in errors.items():
        for seed, value in enumerate(values):
            file = results.runs / f"{family}{depth}-seed{seed}-abcdef" / "result.json"
            result = json.loads(file.read_text())
            result["final"]["test_error"] = value
            file.write_text(json.dumps(result))


@pytest.fixture
def table(results: Folder) -> MainTable:
    write_errors(results)
    return report.read(results.path).main


def entries(table: MainTable, measure: str, *words: str) -> dict:
    """The entries of a row, by column."""
    block = next(block for block in table.blocks if block.title == measure)
    row = next(row for row in block.rows if row.words == list(words))
    return dict(zip(table.columns, row.entries, strict=True))


def test_depth_is_across_and_the_other_axes_are_down(table: MainTable):
    assert (table.axis, table.columns, table.heads) == ("layers", ["20", "32", "56"], ["family"])
    assert [block.title for block in table.blocks] == ["training error (%)", "test error (%)"]
    plain = entries(table, "test error (%)", "plain")["56"]
    errors = ERRORS["plain", 56]
    assert (plain.mean, plain.std) == (f"{np.mean(errors):.2f}", f"{np.std(errors, ddof=1):.2f}")


def test_bold_are_the_best_of_a_column_and_what_its_interval_covers(table: MainTable):
    plain, residual = (entries(table, "test error (%)", word) for word in ("plain", "residual"))
    assert (plain["56"].best, residual["56"].best) == (False, True)
    # The best is residual at 20 layers, and plain is within its interval.
    errors = ERRORS["resnet", 20]
    high = stats.t.interval(0.95, 2, np.mean(errors), stats.sem(errors))[1]
    assert np.mean(errors) < np.mean(ERRORS["plain", 20]) < high
    assert (plain["20"].best, residual["20"].best) == (True, True)
    assert any("95% interval" in note for note in table.notes if note.startswith("Bold"))


def test_other_numbers_of_seeds_and_diverged_runs_are_told(results: Folder, diverge):
    (results.runs / "plain56-seed0-abcdef" / "result.json").unlink()
    diverge("plain32-seed1-abcdef")
    table = report.read(results.path).main
    plain = entries(table, "test error (%)", "plain")
    assert [plain[depth].remark for depth in ("20", "32", "56")] == ["", "1 diverged", "n = 2"]
    assert table.notes[0].startswith("Mean ± standard deviation over 3 seeds")


def with_fields(results: Folder, fields: str) -> None:
    text = results.experiment.read_text().replace("import Experiment", "import Experiment, Paper")
    results.experiment.write_text(text.rstrip().removesuffix(")") + f"    {fields}\n)\n")


def test_the_papers_numbers_are_below_ours(results: Folder):
    paper = 'Paper(source="Table 6", figures={("resnet", 20): 8.75, ("plain", 56): "fail"})'
    with_fields(results, f'paper={paper}, scales={{"paper": {{"setup": "As there."}}}},')
    table = report.read(results.path).main
    rows = [(row.words, row.ours) for row in table.blocks[1].rows]
    assert rows == [
        (["plain"], True),
        (["plain, paper"], False),
        (["residual"], True),
        (["residual, paper"], False),
    ]
    assert entries(table, "test error (%)", "residual, paper")["20"].mean == "8.75"
    assert entries(table, "test error (%)", "plain, paper")["56"].mean == "fail"
    assert all(row.ours for row in table.blocks[0].rows)  # no number for the training error
    assert any("Table 6" in note for note in table.notes)
    assert any("“default”, not at the paper’s" in note for note in table.notes)


@pytest.mark.parametrize(
    ("axes", "figures", "chosen"),
    [
        ({"depth": (20, 56), "rate": (0.1, 0.2)}, (), "depth"),
        ({"rate": (0.1, 0.2), "width": (1, 2)}, (Final(x="rate", lines="width"),), "rate"),
        ({"rate": (0.1, 0.2), "width": (1, 2), "kind": ("a", "b")}, (), "width"),
        ({"kind": ("a", "b", "c"), "norm": (True, False)}, (), "norm"),
        ({"kind": tuple("abcdefghij"), "family": ("p", "r")}, (), "family"),
        ({"kind": tuple("abcdefghij")}, (), ""),
        ({"depth": (20,)}, (), ""),
    ],
)  # fmt: skip
def test_the_axis_across(axes, figures, chosen):
    made = Experiment(question="?", base="configs/digits.py", axes=axes, figures=figures)
    assert columns_axis(made) == chosen


def test_without_an_axis_across_the_measures_are_the_columns(results: Folder):
    text = results.experiment.read_text()
    axes = 'axes={"family": ("plain",), "depth": (56,)},'
    text = re.sub(r"axes=\{.*\},", axes, text).partition("    figures=")[0] + ")\n"
    results.experiment.write_text(text)
    plan = json.loads(results.plan.read_text())
    plan["runs"] = [run for run in plan["runs"] if run["axes"] == {"family": "plain", "depth": 56}]
    results.plan.write_text(json.dumps(plan))
    write_errors(results)
    paper = 'Paper(source="Table 6", figures={("plain", 56): 6.97})'
    with_fields(results, f'paper={paper}, scales={{"paper": {{"setup": "As there."}}}},')
    table = report.read(results.path).main
    assert table.columns == ["training error (%)", "test error (%)"]
    ours, theirs = table.blocks[0].rows
    assert (ours.words, ours.entries[1].mean) == (["plain", "56"], "70.00")
    assert theirs.words == ["plain", "56, paper"]
    assert [each.mean for each in theirs.entries] == ["", "6.97"]


def test_markdown_and_latex_hold_the_same_numbers(results: Folder, capsys):
    write_errors(results)
    with_fields(results, "labels={'resnet': 'res_net 100% & more', 'depth': 'layers'},")
    text = results.experiment.read_text()
    results.experiment.write_text(
        text.replace('labels={"resnet": "residual", "depth": "layers"},\n', "")
    )
    assert main(["report", str(results.path), "--markdown"]) == 0
    marked = capsys.readouterr().out
    assert "|  | res_net 100% & more | **3.40** ± 0.20 |" in marked
    assert main(["report", str(results.path), "--latex"]) == 0
    tex = capsys.readouterr().out
    assert r"res\_net 100\% \& more & \textbf{3.40} $\pm$ 0.20 &" in tex
    assert r"test error (\%)" in tex
    assert not re.search(r"(?<!\\)[%_&#](?! \\usepackage)", re.sub(r" & |^& ", "", tex, flags=re.M))
    assert not results.report.exists()


def test_latex_escapes_what_is_special():
    escaped = formats.latex(MainTable(["a_b"], "", ["50%"], [], ["−1 ± 2"]), "#1 {x} ~^\\")
    for part in (r"a\_b & 50\%", r"$-$1 $\pm$ 2", r"\#1 \{x\} \textasciitilde{}\textasciicircum{}"):
        assert part in escaped


def test_of_several_experiments_there_is_no_main_table(results: Folder, capsys):
    assert main(["report", str(results.path.parent), "--latex"]) == 2
    assert "holds no results of an experiment" in capsys.readouterr().err
