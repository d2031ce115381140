"""What things cost, measured: variants of one step, interleaved, with compilation apart.

Machines are noisy and drift, so variants take turns within one process, a few steps at a time, and
what is quoted is the median of the turns and the ratio of medians. A turn's clock is read when the
device has finished, and not when it has been told what to do.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from resnet_jax.training.devices import mapping as mappings
from resnet_jax.training.run.checkpoints import Checkpoints
from resnet_jax.training.run.evaluation import evaluate
from resnet_jax.training.run.loop import Plan
from resnet_jax.training.run.meter import Meter
from resnet_jax.training.step import precision
from resnet_jax.training.step import state as states
from resnet_jax.training.step.state import TrainState

STEPS = 5  # of one turn
Step = Callable[[Any, Any], tuple[Any, ...]]


@dataclass(frozen=True)
class Timing:
    """How long a step takes.

    Attributes:
      name: what was timed.
      first: seconds of its first call, compilation among them.
      turns: seconds a step, of each turn.
    """

    name: str
    first: float
    turns: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the turns, in seconds a step."""
        return float(np.median(self.turns))


def probe_cost(config: ConfigDict, turns: int = 15) -> list[Timing]:
    """Times the training step without and with probes.

    Args:
      config: a full config; `probe.sites` says what is measured.
      turns: how many turns each takes, of five steps.

    Returns:
      The timings of the step and of the step that measures as well.

    Raises:
      UserError: the config or the data cannot be used, or no site matches a pattern.
    """
    mapping = mappings.of(config, probes=True)
    dataset = mappings.dataset(config, mapping)
    probed = partial(mapping.probed_step, sites=tuple(config.probe.sites))
    steps: dict[str, Step] = {"step": mapping.train_step, "step with probes": probed}

    def create() -> Any:
        return mapping.place(states.create(config, dataset))

    def batch(step: int) -> Any:
        return mapping.batch(dataset.train_batch(step))

    with precision.of(config):
        return interleaved(steps, create, batch, turns)


@dataclass(frozen=True)
class LoopCost:
    """What a run's records, evaluations and checkpoints cost beside its steps.

    Attributes:
      step: seconds of a step and nothing else.
      seconds: by name, seconds that one of each takes beside the steps.
      every: by name, after how many steps one comes; 0 for only at the end.
    """

    step: float
    seconds: dict[str, float]
    every: dict[str, int]

    def share(self, name: str) -> float:
        """What it adds to the time of the steps, as a share of that."""
        every = self.every[name]
        return self.seconds[name] / (every * self.step) if every else 0.0


def loop_cost(config: ConfigDict, turns: int = 7, steps: int = 50) -> LoopCost:
    """Times steps alone, and steps with a record, an evaluation or a checkpoint at their end.

    A checkpoint is waited for, so that what is written in the background counts too.

    Args:
      config: a full config, which says how often each comes.
      turns: how many turns each of the four takes.
      steps: of a turn.

    Raises:
      UserError: the config or the data cannot be used.
    """
    with precision.of(config):
        return _loop_cost(config, turns, steps)


def _loop_cost(config: ConfigDict, turns: int, steps: int) -> LoopCost:
    mapping = mappings.of(config)
    dataset = mappings.dataset(config, mapping)
    plan = Plan.of(config, dataset.num_train)
    state = mapping.place(states.create(config, dataset))
    meter = Meter(config.train.batch_size, dataset.num_train)
    ends: dict[str, Callable[[TrainState, Checkpoints], Any]] = {
        "steps": lambda state, kept: None,
        "record": lambda state, kept: meter.record(0),
        "evaluation": lambda state, kept: evaluate(state, dataset, "test", mapping),
        "checkpoint": lambda state, kept: _save(mapping.collect(state), config, kept),
    }
    taken: dict[str, list[float]] = {name: [] for name in ends}
    with tempfile.TemporaryDirectory() as folder, Checkpoints(folder) as kept:
        for turn in range(turns + 1):
            for name, end in ends.items():
                began = time.perf_counter()
                for step in range(steps):
                    batch = mapping.batch(dataset.train_batch(step))
                    state, metrics = mapping.train_step(state, batch)
                    if name == "record":
                        meter.add(metrics)
                jax.block_until_ready(state)
                end(state, kept)
                if turn:  # the first one compiles
                    taken[name].append(time.perf_counter() - began)
    medians = {name: float(np.median(seconds)) for name, seconds in taken.items()}
    alone = medians.pop("steps")
    return LoopCost(
        step=alone / steps,
        seconds={name: seconds - alone for name, seconds in medians.items()},
        every={"record": plan.log, "evaluation": plan.evaluate, "checkpoint": plan.checkpoint},
    )


def _save(state: TrainState, config: ConfigDict, kept: Checkpoints) -> None:
    kept.save(state, config)
    kept.wait()


def interleaved(
    steps: Mapping[str, Step],
    create: Callable[[], Any],
    batch: Callable[[int], Any],
    turns: int,
) -> list[Timing]:
    """Times several steps in turn, each on a state of its own.

    Args:
      steps: by name, functions from a state and a batch to a tuple with the next state first.
      create: makes a new state.
      batch: the batch of a step.
      turns: how many turns each takes.
    """
    state = {name: create() for name in steps}
    images = batch(0)
    first = {name: _turn(step, state, name, images, 1) for name, step in steps.items()}
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(turns):
        for name, step in steps.items():
            taken[name].append(_turn(step, state, name, images, STEPS))
    return [Timing(name, first[name], tuple(taken[name])) for name in steps]


def _turn(step: Step, state: dict[str, Any], name: str, batch: Any, steps: int) -> float:
    began = time.perf_counter()
    for _ in range(steps):
        state[name], *_ = step(state[name], batch)
    jax.block_until_ready(state[name])
    return (time.perf_counter() - began) / steps
