"""The report's section on tuning, from made-up results."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_jax.lab import Experiment, Times
from resnet_jax.lab.analysis.claims import Verdict
from resnet_jax.lab.design import experiment as experiments
from resnet_jax.lab.design.tuning import tuning_runs
from resnet_jax.lab.reporting import report
from resnet_jax.lab.reporting.tuning import tuning_section
from resnet_jax.lab.results.folder import Folder, write_plan
from resnet_jax.lab.results.tuning import Candidate, TunedCell
from resnet_jax.lab.running.tuning import final_runs
from tests.lab.conftest import write_result, write_run

RATE = "optimizer.learning_rate"
EXPERIMENT = Experiment(
    question="?",
    base="digits.py",
    axes={"family": ("plain", "resnet"), "depth": (20, 56)},
    labels={"resnet": "residual", "depth": "layers"},
    tune={RATE: (0.003, 0.01, 0.03)},
)


def cell(family: str, depth: int, *errors: list[float], **last) -> TunedCell:
    candidates = [
        Candidate({RATE: rate}, tuple(each), 0, 0)
        for rate, each in zip((0.003, 0.01, 0.03), errors, strict=True)
    ]
    candidates[-1] = replace(candidates[-1], **last)
    return TunedCell({"family": family, "depth": depth}, tuple(candidates))


CELLS = [
    cell("plain", 20, [10.0, 12.0], [2.0, 3.0], [4.0, 4.0]),
    cell("plain", 56, [55.0, 60.0], [61.0, 70.0], [90.0, 80.0], diverged=1),
    cell("resnet", 20, [1.0, 2.0], [1.0, 1.0], [0.0, 1.0]),
    cell("resnet", 56, [1.0, 2.0], [1.0, 1.0], [0.5], waiting=1),
]


def verdict(text: str, outcome: str) -> Verdict:
    return Verdict(text, outcome, "train_error", 10.0, 5.0, 15.0, 5, "rule")


def test_a_row_has_the_mean_error_of_each_value_and_the_choice():
    table = tuning_section(EXPERIMENT, CELLS).table
    assert table.head[:5] == ["family", "layers", "0.003", "0.01", "0.03"]
    assert table.numeric[:5] == [False, False, True, True, True]
    assert table.rows[0][:6] == ["plain", "20", "11.0", "2.5", "4.0", "0.01"]
    assert table.rows[1][:6] == ["plain", "56", "57.5", "65.5", "85.0", "0.003"]
    assert table.rows[2][:6] == ["residual", "20", "1.5", "1.0", "0.5", "0.03"]
    assert [row[5] for row in table.rows] == ["0.01", "0.003", "0.03", "–"]
    assert ["edge" in row[-1] for row in table.rows] == [False, True, True, False]
    assert "1 run diverged" in table.rows[1][-1]
    assert "1 run to do" in table.rows[3][-1]
    assert {len(row) for row in table.rows} == {len(table.head)} == {len(table.numeric)}


def test_cells_at_the_edge_are_named():
    notes = tuning_section(EXPERIMENT, CELLS).notes
    (edge,) = [note for note in notes if "edge" in note]
    assert "2 of 4 cells" in edge
    assert "plain, layers 56" in edge
    assert "residual, layers 20" in edge
    assert "widen" in edge
    assert "plain, layers 20" not in edge
    assert not any("edge" in note for note in tuning_section(EXPERIMENT, CELLS[:1]).notes)


def test_notes_name_the_settings_the_seeds_and_what_is_left():
    notes = " ".join(tuning_section(EXPERIMENT, CELLS).notes)
    assert RATE in notes
    assert "1000, 1001" in notes
    assert "1 tuning run" in notes


def test_multiples_are_columns_and_the_choice_is_in_numbers():
    times = replace(EXPERIMENT, tune={RATE: Times(0.3, 1, 3)})
    table = tuning_section(times, CELLS[:1]).table
    assert table.head[2:5] == ["×0.3", "×1", "×3"]
    assert table.rows[0][5] == "0.01"


@pytest.mark.parametrize(
    ("after", "share", "reversed_"),
    [
        (("supported", "supported", "supported", "inconclusive"), "0 of 4", "0 of them"),
        (("refuted", "supported", "supported", "inconclusive"), "1 of 4", "1 of them"),
        (("inconclusive", "refuted", "supported", "refuted"), "3 of 4", "1 of them"),
    ],
)
def test_the_share_of_verdicts_that_differ_is_told(after, share, reversed_):
    before = ("supported", "supported", "supported", "inconclusive")
    untuned, tuned = (
        [verdict(t, o) for t, o in zip("abcd", of, strict=True)] for of in (before, after)
    )
    section = tuning_section(EXPERIMENT, CELLS, tuned, untuned[::-1])
    (note,) = section.flips
    assert share in note
    assert reversed_ in note
    assert f"{int(share[0]) / 4:.0%}" in note
    assert [row[0] for row in section.verdicts.rows] == list("abcd")
    words = [[cell.partition(":")[0] for cell in row] for row in section.verdicts.rows]
    assert [(row[1], row[2]) for row in words] == list(zip(before, after, strict=True))
    assert [row[3] != "" for row in words] == [b != a for b, a in zip(before, after, strict=True)]


def test_claims_that_only_one_of_them_has_are_left_out():
    section = tuning_section(
        EXPERIMENT, CELLS, [verdict("a", "supported")], [verdict("b", "refuted")]
    )
    assert (section.verdicts, section.flips) == (None, [])


def test_without_tuning_there_is_no_section():
    assert tuning_section(replace(EXPERIMENT, tune={}), []) is None


@pytest.fixture
def tuned(results: Folder, experiment_file: Path, tmp_path: Path) -> Folder:
    """Beside the results without tuning, those with it, in which deep plain networks train well."""
    (tmp_path / "configs").mkdir()
    shutil.copy(Path(__file__).parents[3] / "configs" / "digits.py", tmp_path / "configs")
    text = experiment_file.read_text()
    scale = f'    scales={{"tuned": {{"tune": {{"{RATE}": (0.003, 0.01, 0.03)}}}}}},\n)\n'
    experiment_file.write_text(text.rstrip().removesuffix(")") + scale)
    experiment = experiments.load(experiment_file).at_scale("tuned")
    folder = Folder(results.path.parent / experiment.results_name)
    for run in tuning_runs(experiment):
        best = 0.003 if run.axes == {"family": "plain", "depth": 56} else 0.01
        error = 5.0 if run.settings[RATE] == best else 7.0
        (folder.runs / run.name).mkdir(parents=True)
        write_result(folder.runs / run.name, final={"test_error": error})
    runs = final_runs(experiment, folder)
    write_plan(folder, experiment, runs, "resnet-jax run experiments/degradation.py --scale tuned")
    for run in runs:
        write_run(folder.runs / run.name, run)
        if run.axes["depth"] == 56:
            path = folder.runs / run.name / "result.json"
            low = {"train_error": 0.2 + 0.1 * (run.seed % 2)}
            write_result(path.parent, final=json.loads(path.read_text())["final"] | low)
    return folder


@pytest.mark.usefixtures("blank_figures")
def test_the_report_has_a_section_on_tuning_and_on_what_it_changed(tuned: Folder, page_at):
    built = report.build(tuned.path)
    sections = {each.title: each for each in built.sections}
    (errors,) = sections["Tuning"].tables
    chosen = {(row[0], row[1]): row[5] for row in errors.rows}
    assert chosen.pop(("plain", "56")) == "0.003"
    assert set(chosen.values()) == {"0.01"}
    (verdicts,) = sections["Verdicts without and with tuning"].tables
    found = [(row[1].partition(":")[0], row[2].partition(":")[0]) for row in verdicts.rows]
    assert found == [("supported", "refuted"), ("supported", "supported")]
    text = page_at(tuned.report).text
    assert "1 of 2 verdicts (50%)" in text
    assert "plain, layers 56" in text
    assert "1000, 1001" in text


def test_a_report_without_tuning_has_no_such_section(tuned: Folder):
    untuned = report.read(tuned.path.parent / "degradation")
    assert "Tuning" not in [each.title for each in untuned.sections]


def test_without_results_beside_it_nothing_is_compared(tuned: Folder):
    shutil.rmtree(tuned.path.parent / "degradation")
    titles = [each.title for each in report.read(tuned.path).sections]
    assert "Tuning" in titles
    assert not any("erdict" in title for title in titles)
