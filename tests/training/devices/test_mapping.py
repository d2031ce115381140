"""Both mappings against one device and against each other, on eight virtual devices."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SLOW = pytest.mark.slow
PARTS = [pytest.param("", id="whole"), pytest.param(", two parts", marks=SLOW)]
SCRIPT = Path(__file__).with_name("on_eight_devices.py")


class Found(dict):
    """The script's results; those that only slow tests need are computed when first asked for."""

    def __init__(self, folder):
        super().__init__(self.run("default", folder))
        self.folder = folder

    def __missing__(self, name):
        self.update(self.run("slow", self.folder))
        return self[name]

    @staticmethod
    def run(which, folder):
        out = folder / f"{which}.pkl"
        command = [sys.executable, str(SCRIPT), which, str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return pickle.loads(out.read_bytes())


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return Found(tmp_path_factory.mktemp("mapping"))


def distance(one, other):
    """The largest difference of two parameter vectors, relative to their root mean square."""
    return np.max(np.abs(one["params"] - other["params"])) / np.sqrt(np.mean(one["params"] ** 2))


# Relative to the parameters' root mean square, after 20 steps. Another order of summation gives
# 5e-7, as the same batches in two orders show, and 2e-3 in larger networks, where it may change the
# sign of a ReLU's input. Mistakes give 0.7 and more.
ROUNDING = 1e-2


@pytest.mark.slow
@pytest.mark.parametrize("parts", ["", ", two parts"])
def test_the_same_examples_in_another_order_differ_by_rounding(found, parts):
    assert 0 < distance(*found[f"rounding{parts}"]) < ROUNDING


@pytest.mark.parametrize("name", ["jit", "pmap"])
@pytest.mark.parametrize("parts", PARTS)
def test_eight_devices_give_what_one_gives(found, name, parts):
    one, other = found[f"one{parts}"], found[f"{name}{parts}"]
    assert other["devices"] == 8
    np.testing.assert_allclose(other["losses"][:3], one["losses"][:3], rtol=1e-5)
    np.testing.assert_allclose(other["losses"], one["losses"], rtol=ROUNDING)
    assert distance(one, other) < ROUNDING
    np.testing.assert_allclose(other["batch_stats"], one["batch_stats"], rtol=ROUNDING, atol=1e-4)
    assert np.array_equal(other["key"], one["key"])
    assert other["step"] == 20
    assert other["tested"][0]["examples"] == 20
    assert other["tested"][0]["loss"] == pytest.approx(one["tested"][0]["loss"], rel=ROUNDING)


def test_statistics_per_replica_differ_from_synchronized_ones_alike_in_both_mappings(found):
    jit, pmap = (found[f"{name}, own statistics"] for name in ("jit", "pmap"))
    assert distance(jit, pmap) < ROUNDING
    assert distance(found["one"], jit) > 10 * ROUNDING


@pytest.mark.parametrize("name", ["jit", "pmap"])
def test_a_step_with_statistics_per_replica_equals_its_computation_replica_by_replica(found, name):
    shards, step = found["first, by shards"], found[f"first, {name}"]
    assert step["gradient_norm"] == pytest.approx(shards["gradient_norm"], rel=1e-4)
    np.testing.assert_allclose(step["mean"], shards["mean"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(step["var"], shards["var"], rtol=1e-4, atol=1e-6)
    # A mean of variances would be too small, which the test would notice.
    assert np.all(shards["mean of variances"] < shards["var"])
    assert np.max(shards["var"] - shards["mean of variances"]) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("mistake", ["no mean", "sum"])
def test_a_missing_or_doubled_mean_would_be_noticed(found, mistake):
    assert distance(found["one"], found[mistake]) > 10 * ROUNDING


@pytest.mark.parametrize(
    "name",
    ["one", "jit", "pmap", *(pytest.param(f"{m}, two parts", marks=SLOW) for m in ("jit", "pmap"))],
)
def test_the_step_and_the_evaluation_are_compiled_once(found, name):
    run = found[name]
    assert run["compiled_steps"][0] >= 1
    assert sum(run["compiled_steps"][1:]) == 0
    assert run["compiled_again"] == 0


@pytest.mark.slow
def test_averaged_weights_are_between_the_first_and_the_last(found):
    run = found["one, two parts"]
    assert {"ema_loss", "ema_error"} <= set(run["tested"][0])
    assert "ema_loss" not in found["one"]["tested"][0]
    assert run["tested"][0]["ema_loss"] != run["tested"][0]["loss"]
    np.testing.assert_allclose(found["pmap, two parts"]["ema"], run["ema"], atol=1e-3)


@pytest.mark.slow
def test_all_replicas_skip_a_step_that_overflows(found):
    overflow = found["overflow"]
    assert overflow == {"skipped": 1.0, "scales": [2.0**126] * 8, "moved": 0.0}


def test_what_devices_cannot_do_is_refused_with_what_they_can(found):
    refused = found["refused"]
    for text in ("train.batch_size = 30", "8 devices", "24 and 32"):
        assert text in refused["batch"]
    for text in ("train.batch_size = 24", "2 parts", "16 and 32"):
        assert text in refused["parts"]
    for text in ("devices.count = 9", "8 devices"):
        assert text in refused["count"]
    assert "devices.mapping=jit" in refused["probes"]
