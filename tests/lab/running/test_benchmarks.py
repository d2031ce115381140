"""Benchmarks: which step is called how often, and what is computed of the times."""

import re
from functools import partial

import numpy as np
import pytest

from resnet_jax.cli import main
from resnet_jax.lab.running import benchmarks
from resnet_jax.lab.running.benchmarks import STEPS_PER_TURN, LoopCost, Timing, interleaved

SMALLEST = ["--config.model.stage_sizes=(1,)", "--config.model.widths=(8,)"]
CONFIG = ["--config", "configs/smoke.py", "--config.model.name=plain8", *SMALLEST]


def test_variants_take_turns_each_on_its_own_state():
    calls = []

    def variant(name):
        def step(state, batch):
            calls.append((name, state, batch))
            return state + 1, None

        return step

    timings = interleaved({"a": variant("a"), "b": variant("b")}, lambda: 0, None, 2)
    assert [each.name for each in timings] == ["a", "b"]
    assert all(len(each.turns) == 2 and min(each.turns) > 0 for each in timings)
    turn = ["a"] * STEPS_PER_TURN + ["b"] * STEPS_PER_TURN
    assert [name for name, *_ in calls] == ["a", "b", *turn, *turn]
    assert [state for name, state, _ in calls if name == "b"] == list(range(1 + 2 * STEPS_PER_TURN))


def test_what_is_quoted_is_the_median():
    assert Timing("a", 9.0, (3.0, 1.0, 2.0)).median == pytest.approx(np.median([1, 2, 3]))


def test_the_command_says_what_probes_cost(capsys, monkeypatch):
    monkeypatch.setattr(benchmarks, "probe_cost", partial(benchmarks.probe_cost, turns=2))
    assert main(["benchmark", "probes", *CONFIG, "--config.train.batch_size=8"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert re.search(r"every 50 steps adds -?[\d.]+% ", printed)


def test_the_share_of_what_comes_now_and_then():
    cost = LoopCost(0.02, {"record": 0.001, "evaluation": 0.5}, {"record": 10, "evaluation": 0})
    assert cost.share("record") == pytest.approx(0.001 / 0.2)
    assert cost.share("evaluation") == 0


def test_the_command_says_what_the_loop_costs(capsys, monkeypatch):
    short = partial(benchmarks.loop_cost, turns=2, steps=5)
    monkeypatch.setattr(benchmarks, "loop_cost", short)
    assert main(["benchmark", "loop", *CONFIG, "--config.train.eval_steps=0"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"all three add -?[\d.]+% to it", printed)
    assert "the end" in printed
