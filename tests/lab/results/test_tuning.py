"""What tuning runs choose, from made-up results."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from resnet_jax.lab.results import tuning
from resnet_jax.lab.results.folder import PlannedTuningRun
from resnet_jax.lab.results.tuning import TunedCell

RATE = "optimizer.learning_rate"
DIVERGED = {"test_error": 90.0, "train_error": 80.0}


def made(tmp_path: Path, errors: dict[float, list]) -> TunedCell:
    """A cell with the validation errors of each rate: None for a run to do, or a status."""
    planned = []
    for rate, of_seeds in errors.items():
        for seed, error in enumerate(of_seeds):
            run = PlannedTuningRun(f"{rate}-{seed}", {"depth": 20}, 1000 + seed, {RATE: rate})
            planned.append(run)
            if error is None:
                continue
            status = error if isinstance(error, str) else "done"
            final = {"test_error": error, "train_error": -1.0} if status == "done" else {}
            path = tmp_path / run.name
            path.mkdir(parents=True)
            result = {"status": status, "message": "", "step": 3, "final": final}
            (path / "result.json").write_text(json.dumps(result))
    (cell,) = tuning.read(tmp_path, planned, DIVERGED)
    return cell


def chosen(tmp_path: Path, errors: dict[float, list]) -> float | None:
    cell = made(tmp_path, errors)
    return cell.chosen.settings[RATE] if cell.chosen else None


def test_the_lowest_mean_validation_error_is_chosen(tmp_path):
    """Compared with pandas on a hundred drawn tables."""
    rng = np.random.default_rng(0)
    for trial in range(100):
        drawn = rng.uniform(0, 90, (4, 3))
        rates = (0.003, 0.01, 0.03, 0.1)
        frame = pd.DataFrame(drawn, index=list(rates))
        errors = dict(zip(rates, drawn.tolist(), strict=True))
        cell = made(tmp_path / str(trial), errors)
        assert cell.chosen.settings[RATE] == frame.mean(axis=1).idxmin()
        assert cell.chosen.mean == pytest.approx(frame.mean(axis=1).min())
        assert cell.at_edge == ([RATE] if cell.chosen.settings[RATE] in (0.003, 0.1) else [])


def test_of_equal_means_the_smaller_spread_is_chosen_and_then_the_first(tmp_path):
    assert chosen(tmp_path / "a", {0.1: [4.0, 6.0], 0.2: [5.0, 5.0], 0.3: [4.5, 5.5]}) == 0.2
    assert chosen(tmp_path / "b", {0.1: [9.0, 9.0], 0.2: [6.0, 4.0], 0.3: [4.0, 6.0]}) == 0.2
    # (0.1 + 0.2 + 0.3) / 3 depends on the order by a rounding error, which decides nothing.
    for number, seeds in enumerate(itertools.permutations([0.1, 0.2, 0.3])):
        assert chosen(tmp_path / f"c{number}", {0.1: [0.1, 0.2, 0.3], 0.2: list(seeds)}) == 0.1


def test_a_diverged_run_counts_with_its_declared_value(tmp_path):
    cell = made(tmp_path, {0.1: [1.0, "diverged"], 0.2: [50.0, 40.0]})
    assert [each.errors for each in cell.candidates] == [(1.0, 90.0), (50.0, 40.0)]
    assert [each.diverged for each in cell.candidates] == [1, 0]
    assert cell.chosen.settings[RATE] == 0.2  # a mean of 45 against one of 45.5


@pytest.mark.parametrize("state", [None, "failed"])
def test_nothing_is_chosen_before_every_run_has_ended(tmp_path, state):
    cell = made(tmp_path, {0.1: [1.0, 1.0], 0.2: [50.0, state]})
    assert (cell.chosen, cell.waiting, cell.at_edge) == (None, 1, [])
    assert tuning.choose([cell]) == {}
    assert "1 tuning run" in tuning.told(cell)


def test_a_corrupt_result_is_a_run_to_do(tmp_path):
    made(tmp_path, {0.1: [1.0], 0.2: [2.0]})
    (tmp_path / "0.2-0" / "result.json").write_text("{")
    planned = [PlannedTuningRun(f"{rate}-0", {}, 1000, {RATE: rate}) for rate in (0.1, 0.2)]
    (cell,) = tuning.read(tmp_path, planned, DIVERGED)
    assert (cell.waiting, math.isnan(cell.candidates[1].mean)) == (1, True)


def test_an_edge_is_one_only_where_no_other_value_is_as_good(tmp_path):
    assert made(tmp_path / "a", {0.1: [1, 1], 0.2: [2, 2], 0.3: [3, 3]}).at_edge == [RATE]
    assert made(tmp_path / "b", {0.1: [3, 3], 0.2: [2, 2], 0.3: [1, 1]}).at_edge == [RATE]
    assert made(tmp_path / "c", {0.1: [3, 3], 0.2: [1, 1], 0.3: [3, 3]}).at_edge == []
    assert made(tmp_path / "d", {0.1: [1, 1], 0.2: [1, 1], 0.3: [3, 3]}).at_edge == []
    assert made(tmp_path / "e", {0.3: [2, 2], 0.1: [1, 1], 0.2: [3, 3]}).at_edge == [RATE]


def test_words_and_switches_have_no_edges(tmp_path):
    for number, values in enumerate([("a", "b"), (False, True)]):
        assert (
            made(tmp_path / str(number), dict(zip(values, ([1], [2]), strict=True))).at_edge == []
        )


def test_each_setting_has_its_own_edges(tmp_path):
    settings = [{"a": a, "b": b} for a in (1, 2, 3) for b in (1, 2, 3)]
    planned = []
    for number, each in enumerate(settings):
        run = PlannedTuningRun(str(number), {}, 1000, each)
        planned.append(run)
        (tmp_path / run.name).mkdir()
        error = abs(each["a"] - 2) + abs(each["b"] - 3)
        result = {"status": "done", "message": "", "step": 1, "final": {"test_error": error}}
        (tmp_path / run.name / "result.json").write_text(json.dumps(result))
    (cell,) = tuning.read(tmp_path, planned, DIVERGED)
    assert (cell.chosen.settings, cell.at_edge) == ({"a": 2, "b": 3}, ["b"])
