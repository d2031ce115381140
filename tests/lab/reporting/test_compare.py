"""Two experiments or two runs side by side."""

import doctest
import json
import shutil

import numpy as np
import pytest
from scipy import stats

from resnet_jax.cli import main
from resnet_jax.errors import UserError
from resnet_jax.lab import inference
from resnet_jax.lab.measures import describe
from resnet_jax.lab.reporting import pairing
from resnet_jax.lab.reporting.compare import compare, unpaired
from resnet_jax.lab.results.folder import Folder
from resnet_jax.lab.statistics import Summary
from resnet_jax.training import config as configs


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
    assert found.cells == ["6 pairs, which agree in family and depth"]
    assert found.states == ("18 of 18 runs done; 3 seeds",) * 2
    assert list(found.tables) == ["training error (%)", "test error (%)"]
    table = found.tables["training error (%)"]
    assert table.head == ["family", "depth", "A", "n", "B", "n", "B − A, paired", "n"]
    assert len(table.rows) == 6
    row = next(row for row in table.rows if row[:2] == ["plain", "56"])
    errors = [error_of(results, f"plain56-seed{seed}-abcdef") for seed in range(3)]
    low, high = inference.sample(errors, describe("train_error")).interval()
    assert row[2] == f"{np.mean(errors):.0f} ({low:.0f} to {high:.0f})"
    by_seed = dict(enumerate(errors)), {seed: each + seed + 1 for seed, each in enumerate(errors)}
    low, high = inference.difference(*reversed(by_seed), describe("train_error")).interval()
    assert row[6] == f"+2.0 ({low:+.1f} to {high:+.1f})".replace("-", "−")
    assert (row[3], row[5], row[7]) == ("3", "3", "3")


def test_pairs_are_counted(results, other):
    (other.runs / "plain56-seed0-abcdef" / "result.json").unlink()
    found = compare(results.path, other.path)
    row = next(r for r in found.tables["training error (%)"].rows if r[:2] == ["plain", "56"])
    assert (row[3], row[5], row[7]) == ("3", "2", "2")
    assert found.states[1] == "17 of 18 runs done, 1 missing; 3 seeds"


def test_partial_differences_and_unmatched_cells_are_noted(results, other):
    deep = other.runs / "plain56-seed0-abcdef" / "config.json"
    deep.write_text(deep.read_text().replace('"plain56"', '"plainer56"'))
    plan = json.loads(other.plan.read_text())
    plan["runs"] = [run for run in plan["runs"] if run["axes"]["depth"] != 20]
    other.plan.write_text(json.dumps(plan))
    found = compare(results.path, other.path)
    assert found.cells[1:] == ["A: 2 of 6 cells without a counterpart in B: depth 20"]
    name = "model.name: 'plain56' -> 'plainer56' (in 1 of 4 pairs)"
    assert sorted(found.settings) == [name, "rate: 0.1 -> 0.01"]


def test_two_runs_are_compared_by_final_measures(results, other):
    a, b = (folder.runs / "plain20-seed1-abcdef" for folder in (results, other))
    found = compare(a, b)
    assert found.settings == ["rate: 0.1 -> 0.01"]
    (table,) = found.tables.values()
    row = next(row for row in table.rows if row[0] == "training error (%)")
    assert row[3] == "+2.00"
    assert found.states == ("done, 300 steps", "done, 300 steps")
    (b / "result.json").unlink()
    assert compare(a, b).states[1] == "not finished"


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


def test_a_setting_that_is_newer_than_a_run_has_its_default(results, tmp_path):
    ours = configs.to_dict(configs.base())
    older = json.loads(json.dumps(ours))
    del older["optimizer"]["nesterov"]
    older["train"]["steps"] = 7
    for name, config in (("a", ours), ("b", older)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config))
    found = compare(tmp_path / "a", tmp_path / "b")
    assert found.settings == [f"train.steps: {ours['train']['steps']} -> 7"]
    assert (found.tables, found.states) == ({}, ("not finished",) * 2)


@pytest.fixture
def rates(results) -> Folder:
    """Plain networks at two rates, one of which is that of `results`; results have no such axis."""
    folder = Folder(shutil.copytree(results.path, results.path.with_name("rates")))
    configure(results, rate=0.1)
    configure(folder, rate=0.1)
    plan = json.loads(folder.plan.read_text())
    runs = [run for run in plan["runs"] if run["axes"]["family"] == "plain"]
    plan["runs"] = [
        {**run, "name": name, "axes": {"depth": run["axes"]["depth"], "rate": rate}}
        for run in runs
        for rate, name in ((0.01, "slow-" + run["name"]), (0.1, run["name"]))
    ]
    for run in runs:
        slow = shutil.copytree(folder.runs / run["name"], folder.runs / f"slow-{run['name']}")
        config = json.loads((slow / "config.json").read_text())
        (slow / "config.json").write_text(json.dumps(config | {"rate": 0.01}))
    folder.plan.write_text(json.dumps(plan))
    text = folder.experiment.read_text().partition("    figures")[0] + ")\n"
    text = text.replace('"family": ("plain", "resnet")', '"rate": (0.01, 0.1)')
    folder.experiment.write_text(text.replace("lambda family, depth", "lambda rate, depth"))
    return folder


def test_an_axis_of_one_grid_is_compared_at_the_value_of_the_other(results, rates):
    found = compare(results.path, rates.path)
    assert found.settings == []
    assert found.cells == [
        "3 pairs, which agree in depth",
        "only A has the axis family, with plain, resnet",
        "only B has the axis rate, with 0.01, 0.1",
        "where several cells agree, those are paired that differ in the fewest settings",
        "A: 3 of 6 cells without a counterpart in B: family resnet",
        "B: 3 of 6 cells without a counterpart in A: rate 0.01",
    ]
    for table in found.tables.values():
        assert [row[:3] for row in table.rows] == [["plain", d, "0.1"] for d in ("20", "32", "56")]
        assert {row[7].partition(" ")[0] for row in table.rows} == {"+0.00"}
    assert "9 runs of A and of B have the same config and seed." in found.notes


def test_cells_without_runs_are_not_said_to_be_alike(results, rates):
    for path in rates.runs.iterdir():
        shutil.rmtree(path)
    found = compare(results.path, rates.path)
    assert found.settings == ["not known: in no pair have both cells a run"]
    assert "A: 6 cells in several pairs, being equally near to each" in found.cells


def test_grids_without_a_common_cell_have_no_table(results, other, capsys):
    plan = other.plan.read_text()
    for depth in (20, 32, 56):
        plan = plan.replace(f'"depth": {depth}', f'"depth": {depth + 1}')
    other.plan.write_text(plan)
    found = compare(results.path, other.path)
    assert (found.tables, found.settings) == ({}, [])
    assert found.cells == [
        "0 pairs",
        "no value of depth is in both: 20, 32, 56 in A, 21, 33, 57 in B",
        "A: 6 of 6 cells without a counterpart in B: all",
        "B: 6 of 6 cells without a counterpart in A: all",
    ]
    assert main(["compare", str(results.path), str(other.path)]) == 0
    assert "settings that differ" not in capsys.readouterr().out


def test_what_makes_numbers_differ_is_noted(results, other, diverge):
    diverge("plain56-seed0-abcdef")
    for path in other.runs.iterdir():
        file = path / "environment.json"
        code = {"code": {"models/unit.py": path.name}}
        file.write_text(json.dumps(json.loads(file.read_text()) | code))
    text = other.experiment.read_text().replace('"test_error": 90.0}', '"test_error": 100.0}')
    other.experiment.write_text(text)
    plan = json.loads(other.plan.read_text())
    plan["runs"] = [run | {"seed": run["seed"] + 3} for run in plan["runs"]]
    other.plan.write_text(json.dumps(plan))
    found = compare(results.path, other.path)
    notes = found.notes
    assert {table.head[-1] for table in found.tables.values()} == {"B − A, unpaired"}
    assert found.tables["training error (%)"].rows[0][-1].startswith("+2.0 (−")
    assert "A: 1 run diverged, counted as training error 90%, test error 90%." in notes
    assert "A and B have no seed in common, so that differences are not paired." in notes
    assert "The runs were not all made by the same code: models/unit.py differed." in notes


def test_an_unpaired_difference_covers_that_of_the_means():
    """20,000 draws of five normal values in each cell, of other means and spreads: 96.2%."""
    rng = np.random.default_rng(0)
    summaries = []
    for mean, std in ((3.0, 1.0), (5.0, 4.0)):
        values = rng.normal(mean, std, (20_000, 5))
        low, high = stats.t.interval(0.95, 4, values.mean(1), stats.sem(values, axis=1))
        summaries.append(Summary(5, values.mean(1), std, mean, low, high))
    found = unpaired(*summaries)
    np.testing.assert_allclose(found.mean, summaries[1].mean - summaries[0].mean)
    assert 0.945 < np.mean((found.low < 2.0) & (found.high > 2.0)) < 0.97  # a little wide
    skewed = Summary(5, 10.0, 1.0, 10.0, 9.0, 14.0), Summary(5, 20.0, 1.0, 20.0, 17.0, 20.0)
    assert (unpaired(*skewed).low, unpaired(*skewed).high) == (5.0, 11.0)  # 3, 4 and 0, 1


def test_cells_are_paired_with_their_nearest():
    a = [{"x": 1, "y": y} for y in (0, 1, 2)]
    b = [{"x": 1, "z": z} for z in (0.1, 1.2, 1.3, 9)]
    pairs = pairing.pair(a, b, lambda one, other: abs(one["y"] - other["z"]))
    nearest = {(0, 0.1), (1, 1.2)}  # 2 is nearest to 1.3, which is nearer to 1
    assert {(pair.a["y"], pair.b["z"]) for pair in pairs} == nearest
    assert len(pairing.pair(a, b, lambda one, other: 1.0)) == 12
    words = list(pairing.in_words(a, b, pairs))
    assert words[-2:] == [
        "A: 1 of 3 cells without a counterpart in B: y 2",
        "B: 2 of 4 cells without a counterpart in A: z 1.3, 9",
    ]
    left = [{"x": 1, "y": 0}, {"x": "a, b", "y": 1}, {"x": "a, b", "y": 0}]
    cells = [{"x": x, "y": y} for x in (1, 2, "a, b") for y in (0, 1)]
    told = list(pairing.in_words(cells, [c for c in cells if c not in left], []))
    assert told[0] == "0 pairs"
    pairs = [pairing.Pair(cell, cell) for cell in cells if cell not in left]
    told = list(pairing.in_words(cells, cells, pairs))
    assert told[1].endswith("3 of 6 cells without a counterpart in B: x 'a, b'; x 1 y 0")
    assert doctest.testmod(pairing).failed == 0


def test_command_shows_settings_and_differences(results, other, capsys):
    assert main(["compare", str(results.path), str(other.path)]) == 0
    told = capsys.readouterr().out
    assert "rate: 0.1 -> 0.01" in told
    assert "+2.0 (−" in told
