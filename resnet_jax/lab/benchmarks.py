"""What things cost, measured: variants of one step, interleaved, with compilation apart.

Machines are noisy and drift, so variants take turns within one process, a few steps at a time, and
what is quoted is the median of the turns and the ratio of medians. A turn's clock is read when the
device has finished, and not when it has been told what to do.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from resnet_jax.training import state as states
from resnet_jax.training.mapping import compiled_probed_step, compiled_train_step

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
    dataset = states.load_dataset(config)
    probed = partial(compiled_probed_step, sites=tuple(config.probe.sites))
    steps: dict[str, Step] = {"step": compiled_train_step, "step with probes": probed}
    return interleaved(steps, lambda: states.create(config, dataset), dataset.train_batch, turns)


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
