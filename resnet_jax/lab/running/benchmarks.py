"""Benchmarks: variants of a training step, interleaved, with compilation timed apart.

Timings are noisy and drift, so variants take turns within one process, a few steps at a time, and
the median over turns is reported. A turn ends when the device has finished its work.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from resnet_jax.training.devices.mapping import require_probes
from resnet_jax.training.run.checkpoints import Checkpoints
from resnet_jax.training.run.meter import Meter
from resnet_jax.training.run.session import Session
from resnet_jax.training.step.state import TrainState

STEPS_PER_TURN = 5
Step = Callable[[Any, Any], tuple[Any, ...]]


@dataclass(frozen=True)
class Timing:
    """How long a step takes.

    Attributes:
      name: name of the variant.
      first: seconds of the first call, including compilation.
      turns: seconds per step of each turn.
    """

    name: str
    first: float
    turns: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median over turns, in seconds per step."""
        return float(np.median(self.turns))


def probe_cost(config: ConfigDict, turns: int = 15) -> list[Timing]:
    """Times the training step without and with probes.

    Args:
      config: a full config; `probe.sites` selects what is measured.
      turns: turns of each variant, of `STEPS_PER_TURN` steps.

    Returns:
      The timings of the step and of the step with probes.

    Raises:
      UserError: the config or the data cannot be used, or a pattern matches no site.
    """
    session = Session(config)
    require_probes(config, session.mapping)
    steps = {"step": session.train_step, "step with probes": session.probed_step}
    with session.precision():
        return interleaved(steps, session.fresh, session.batch(1), turns)


@dataclass(frozen=True)
class LoopCost:
    """The cost of records, evaluations and checkpoints.

    Attributes:
      step: seconds of a step alone.
      seconds: by name, seconds of one record, evaluation or checkpoint.
      every: by name, the number of steps between two of them; 0 for only one at the end.
    """

    step: float
    seconds: dict[str, float]
    every: dict[str, int]

    def share(self, name: str) -> float:
        """Its time as a share of that of the steps."""
        every = self.every[name]
        return self.seconds[name] / (every * self.step) if every else 0.0


def loop_cost(config: ConfigDict, turns: int = 7, steps: int = 50) -> LoopCost:
    """Times steps alone, and steps with a record, an evaluation or a checkpoint after them.

    The time of a checkpoint includes its writing in the background.

    Args:
      config: a full config, which says how often each is due.
      turns: turns of each of the four variants.
      steps: steps of a turn.

    Raises:
      UserError: the config or the data cannot be used.
    """
    session = Session(config)
    meter = Meter(config.train.batch_size, session.dataset.num_train)
    with (
        session.precision(),
        tempfile.TemporaryDirectory() as folder,
        Checkpoints(folder) as checkpoints,
    ):

        def save(state: TrainState) -> None:
            checkpoints.save(session.mapping.collect(state), config)
            checkpoints.wait()

        endings: dict[str, Callable[[TrainState], Any]] = {
            "steps": lambda state: None,
            "record": lambda state: meter.record(0),
            "evaluation": lambda state: session.evaluate(state, "test"),
            "checkpoint": save,
        }
        seconds: dict[str, list[float]] = {name: [] for name in endings}
        state = session.fresh()
        for _ in range(1 + turns):
            for name, finish in endings.items():
                began = time.perf_counter()
                for step in range(1, steps + 1):
                    state, metrics = session.train_step(state, session.batch(step))
                    if name == "record":
                        meter.add(metrics)
                jax.block_until_ready(state)
                finish(state)
                seconds[name].append(time.perf_counter() - began)
    medians = {
        name: float(np.median(all_[1:])) for name, all_ in seconds.items()
    }  # first: compiles
    alone, plan = medians.pop("steps"), session.plan
    return LoopCost(
        step=alone / steps,
        seconds={name: median - alone for name, median in medians.items()},
        every={"record": plan.log, "evaluation": plan.evaluate, "checkpoint": plan.checkpoint},
    )


def interleaved(
    steps: Mapping[str, Step], create: Callable[[], Any], batch: Any, turns: int
) -> list[Timing]:
    """Times several steps in turn, each on a state of its own.

    Args:
      steps: by name, functions from a state and a batch to a tuple that starts with the next state.
      create: makes an initial state.
      batch: the batch of all steps.
      turns: turns of each step.
    """
    state = {name: create() for name in steps}
    first = {name: _turn(step, state, name, batch, 1) for name, step in steps.items()}
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(turns):
        for name, step in steps.items():
            taken[name].append(_turn(step, state, name, batch, STEPS_PER_TURN))
    return [Timing(name, first[name], tuple(taken[name])) for name in steps]


def _turn(step: Step, state: dict[str, Any], name: str, batch: Any, steps: int) -> float:
    began = time.perf_counter()
    for _ in range(steps):
        state[name], *_ = step(state[name], batch)
    jax.block_until_ready(state[name])
    return (time.perf_counter() - began) / steps
