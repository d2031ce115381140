"""Killed and resumed runs end bitwise as uninterrupted ones."""

import json
import random
import time

import killing
import numpy as np
import pytest

STEPS = 24


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run of each mapping, trained when it is first asked for."""
    folder = tmp_path_factory.mktemp("whole")
    made = {}

    def run(mapping):
        if mapping not in made:
            killing.finish(folder, mapping, folder / mapping)
            made[mapping] = folder / mapping
        return made[mapping]

    return run


def records(workdir):
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in each.items() if k != "images_per_second"} for each in lines]


def assert_same_run(one, other):
    ours, theirs = (killing.checkpoint(each, STEPS) for each in (one, other))
    assert ours.keys() == theirs.keys()
    for path, value in ours.items():
        np.testing.assert_array_equal(theirs[path], value, err_msg=path)
    assert records(one) == records(other)
    results = [json.loads((each / "result.json").read_text()) for each in (one, other)]
    assert results[0]["final"] == results[1]["final"]


MOMENTS = {
    "compilation": lambda workdir: (workdir / "environment.json").exists(),
    "a step": lambda workdir: killing.lines(workdir) >= 2,
    "an evaluation": lambda workdir: (workdir / "checkpoints" / "4").exists(),
    "a checkpoint's writing": killing.is_writing,
}


@pytest.mark.parametrize(
    ("moment", "mapping"),
    [
        pytest.param("compilation", "one device", marks=pytest.mark.long),
        pytest.param("a step", "jit", marks=pytest.mark.long),
        pytest.param("an evaluation", "pmap", marks=pytest.mark.long),
        pytest.param("a checkpoint's writing", "jit", marks=pytest.mark.slow),
        pytest.param("a checkpoint's writing", "own statistics", marks=pytest.mark.long),
    ],
)
def test_a_killed_run_ends_bitwise_as_an_uninterrupted_one(tmp_path, whole, moment, mapping):
    expected, workdir = whole(mapping), tmp_path / "run"
    cache = tmp_path / "cache" if moment == "compilation" else None
    process = killing.start(tmp_path, mapping, workdir, cache)
    assert killing.kill_when(process, lambda: MOMENTS[moment](workdir))
    assert not (workdir / "result.json").exists()
    killing.finish(tmp_path, mapping, workdir)
    assert_same_run(expected, workdir)


@pytest.mark.long
@pytest.mark.parametrize("mapping", killing.MAPPINGS)
def test_eight_kills_at_random_moments_change_nothing(tmp_path, whole, mapping):
    expected = whole(mapping)
    began = time.monotonic()
    killing.finish(tmp_path, mapping, tmp_path / "timed")
    span = time.monotonic() - began
    chances, kills, tries = random.Random(mapping), 0, 0
    workdir = tmp_path / "run0"
    while kills < 8:
        if (workdir / "result.json").exists():  # finished: start another
            assert_same_run(expected, workdir)
            tries += 1
            workdir = tmp_path / f"run{tries}"
        moment = time.monotonic() + chances.uniform(0.3, 1.0) * span
        process = killing.start(tmp_path, mapping, workdir)
        kills += killing.kill_when(process, lambda moment=moment: time.monotonic() > moment)
    killing.finish(tmp_path, mapping, workdir)
    assert_same_run(expected, workdir)
