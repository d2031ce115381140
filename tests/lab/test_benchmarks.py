"""Timings: what is called how often, and what is made of the clock. No time is asserted."""

import re

import numpy as np
import pytest

from resnet_jax.cli import main
from resnet_jax.lab.benchmarks import STEPS, Timing, interleaved


def test_variants_take_turns_each_on_its_own_state():
    calls = []

    def variant(name):
        def step(state, batch):
            calls.append((name, state, batch))
            return state + 1, None

        return step

    timings = interleaved({"a": variant("a"), "b": variant("b")}, lambda: 0, lambda step: step, 2)
    assert [each.name for each in timings] == ["a", "b"]
    assert all(len(each.turns) == 2 and min(each.turns) > 0 for each in timings)
    turn = ["a"] * STEPS + ["b"] * STEPS
    assert [name for name, *_ in calls] == ["a", "b", *turn, *turn]
    assert [state for name, state, _ in calls if name == "b"] == list(range(1 + 2 * STEPS))


def test_what_is_quoted_is_the_median():
    assert Timing("a", 9.0, (3.0, 1.0, 2.0)).median == pytest.approx(np.median([1, 2, 3]))


def test_the_command_says_what_probes_cost(capsys):
    config = ["--config", "configs/smoke.py", "--config.model.name=plain8"]
    assert main(["benchmark", "probes", *config, "--config.train.batch_size=8"]) == 0
    assert re.search(r"Probing costs -?[\d.]+% of a run at every 50 steps", capsys.readouterr().out)
