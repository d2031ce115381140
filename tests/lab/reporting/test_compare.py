"""Two experiments or two runs side by side."""

import json
import shutil

import numpy as np
import pytest
from scipy import stats

from resnet_jax.cli import main
from resnet_jax.errors import UserError
from resnet_jax.lab.reporting.compare import compare
from resnet_jax.lab.results.folder import Folder


def configure(folder: Folder, **settings) -> None:
    """Writes a config into each run's folder."""
    for path in folder.runs.iterdir():
        seed = int(path.name.partition("-seed")[2][0])
        config = {"seed": seed, "model": {"name": path.name.partition("-")[0]}, **settings}
        (path / "config.json").write_text(json.dumps(config))


def error_of(folder: Folder, name: str) -> float:
    return json.loads((folder.runs / name / "result.json").read_text())["final"]["train_error"]


@pytest.fixture
def other(results: Folder) -> Folder:
    """The same experiment with another rate, whose errors are larger by 1, 2, 3 points."""
    folder = Folder(shutil.copytree(results.path, results.path.with_name("other")))
    configure(results, rate=0.1)
    configure(folder, rate=0.01)
    for path in folder.runs.iterdir():
        result = json.loads((path / "result.json").read_text())
        result["final"]["train_error"] += 1 + int(path.name.partition("-seed")[2][0])
        (path / "result.json").write_text(json.dumps(result))
    return folder


def test_cells_are_matched_and_differences_paired(results, other):
    found = compare(results.path, other.path)
    assert found.settings == ["rate: 0.1 -> 0.01"]
    assert found.notes == []
    head = ["family", "depth", "measure", "A", "n", "B", "n", "B − A, paired", "n"]
    assert found.table.head == head
    assert len(found.table.rows) == 12
    row = next(row for row in found.table.rows if row[:2] == ["plain", "56"])
    assert row[2] == "training error (%)"
    errors = [error_of(results, f"plain56-seed{seed}-abcdef") for seed in range(3)]
    low, high = stats.t.interval(0.95, 2, np.mean(errors), stats.sem(errors))
    assert row[3] == f"{np.mean(errors):.1f} ({low:.1f} to {high:.1f})"
    low, high = stats.t.interval(0.95, 2, 2.0, stats.sem([1.0, 2.0, 3.0]))
    assert row[7] == f"+2.0 ({low:+.1f} to {high:+.1f})".replace("-", "−")
    assert (row[4], row[6], row[8]) == ("3", "3", "3")


def test_pairs_are_counted(results, other):
    (other.runs / "plain56-seed0-abcdef" / "result.json").unlink()
    found = compare(results.path, other.path)
    row = next(row for row in found.table.rows if row[:2] == ["plain", "56"])
    assert (row[4], row[6], row[8]) == ("3", "2", "2")


def test_partial_differences_and_unmatched_cells_are_noted(results, other):
    deep = other.runs / "plain56-seed0-abcdef" / "config.json"
    deep.write_text(deep.read_text().replace('"plain56"', '"plainer56"'))
    plan = json.loads(other.plan.read_text())
    plan["runs"] = [run for run in plan["runs"] if run["axes"]["depth"] != 20]
    other.plan.write_text(json.dumps(plan))
    found = compare(results.path, other.path)
    assert found.notes == ["A: 2 cells without a counterpart"]
    name = "model.name: 'plain56' -> 'plainer56' (in 1 of 4 cells)"
    assert sorted(found.settings) == [name, "rate: 0.1 -> 0.01"]


def test_two_runs_are_compared_by_final_measures(results, other):
    a, b = (folder.runs / "plain20-seed1-abcdef" for folder in (results, other))
    found = compare(a, b)
    assert found.settings == ["rate: 0.1 -> 0.01"]
    row = next(row for row in found.table.rows if row[0] == "training error (%)")
    assert row[3] == "+2.00"
    assert found.notes == [f"{a}: done", f"{b}: done"]
    (b / "result.json").unlink()
    assert compare(a, b).notes[1] == f"{b}: not finished"


def test_incomparable_folders_are_refused(results, other, tmp_path):
    with pytest.raises(UserError, match=r"is an experiment and .* is a run"):
        compare(results.path, other.runs / "plain20-seed1-abcdef")
    with pytest.raises(UserError, match="neither an experiment's results nor a run"):
        compare(results.path, tmp_path)
    text = other.experiment.read_text().partition("    figures")[0] + ")\n"
    text = text.replace('"family"', '"kind"').replace('"depth"', '"layers"')
    other.experiment.write_text(text.replace("family, depth", "kind, layers"))
    plan = other.plan.read_text().replace('"family"', '"kind"').replace('"depth"', '"layers"')
    other.plan.write_text(plan)
    with pytest.raises(UserError, match="share no axis: family, depth and kind, layers"):
        compare(results.path, other.path)


def test_command_shows_settings_and_differences(results, other, capsys):
    assert main(["compare", str(results.path), str(other.path)]) == 0
    told = capsys.readouterr().out
    assert "rate: 0.1 -> 0.01" in told
    assert "+2.0 (−0.5 to +4.5)" in told
