"""What a grid will take, told before it is run and on a machine without its data.

One training step of its smallest network is timed, on noise of the data's shape, and the others
are taken to cost as much more as they have more multiply-adds. That is an estimate: small networks
keep a large device less busy, and evaluations, checkpoints, compiling and reading are left out.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from resnet_jax.data.dataset import Sampling
from resnet_jax.data.fake import fake, set_info
from resnet_jax.lab.design import grid, grid_filter
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.grid import Run
from resnet_jax.lab.design.grid_filter import GridFilter
from resnet_jax.lab.results.folder import Folder
from resnet_jax.lab.running import engine
from resnet_jax.models.zoo.summary import summarize
from resnet_jax.training import config as configs
from resnet_jax.training.config import durations, own_model
from resnet_jax.training.devices import mapping as mappings
from resnet_jax.training.step import precision
from resnet_jax.training.step import state as states
from resnet_jax.training.step.state import build_model

TIMED = 3  # steps, after the one that compiles
CPU_WORK = 5e9  # multiply-adds of a timed batch: a step of a second or two on a small CPU


@dataclass(frozen=True)
class Cost:
    """The runs of one network.

    Attributes:
      network: its name, and the settings in which it differs from others of that name.
      config: of one of its runs.
      runs: how many runs it has in the piece of the grid.
      waiting: how many of them are still to be done.
      steps: of each run.
      batch_size: images of each step.
      params: trainable parameters; 0 where they are not known.
      multiply_adds: for one image, forward; 0 where they are not known.
    """

    network: str
    config: ConfigDict
    runs: int
    waiting: int
    steps: int
    batch_size: int
    params: int
    multiply_adds: int

    @property
    def images(self) -> int:
        """Training images of one run, each as often as it is seen."""
        return self.steps * self.batch_size


@dataclass(frozen=True)
class Measured:
    """One training step, timed.

    Attributes:
      network: of which network.
      device: on what.
      images: how many were in the batch.
      step: seconds, the median of a few.
      compile: seconds of the first call, which compiles.
      per_multiply_add: seconds of a step over the multiply-adds of its images.
    """

    network: str
    device: str
    images: int
    step: float
    compile: float
    per_multiply_add: float


@dataclass(frozen=True)
class Forecast:
    """What a grid will take.

    Attributes:
      cells: how many the whole grid has.
      seeds: how many each has.
      runs: of the whole grid.
      chosen: of the piece that would be run.
      done: of these, the runs that are done.
      costs: a row for each network of the piece, as it is first met.
      measured: the step that was timed; None where nothing could be.
      why_not: why nothing was timed.
    """

    cells: int
    seeds: int
    runs: int
    chosen: int
    done: int
    costs: list[Cost]
    measured: Measured | None
    why_not: str = ""

    def hours(self, waiting: bool = True) -> float:
        """Device hours of the training steps, of the runs still to be done or of all chosen."""
        if self.measured is None:
            return float("nan")
        work = sum(
            (cost.waiting if waiting else cost.runs) * cost.images * cost.multiply_adds
            for cost in self.costs
        )
        return work * self.measured.per_multiply_add / 3600

    def images(self, waiting: bool = True) -> int:
        """Training images of the runs still to be done, or of all chosen."""
        return sum((cost.waiting if waiting else cost.runs) * cost.images for cost in self.costs)


def forecast(
    experiment: Experiment, results: str | Path, only: GridFilter | None = None
) -> Forecast:
    """Counts what a grid takes, and times a step of it.

    Args:
      experiment: as read from its file.
      results: where results would go, for the runs that are done.
      only: the piece to look at (see `grid_filter`).

    Raises:
      UserError: the grid cannot be made of the base config, or nothing is known of its data.
    """
    runs = grid.expand(experiment)
    chosen = grid_filter.select(runs, only or {})
    waiting = engine.missing(Folder(Path(results) / experiment.results_name), chosen)
    trained = [run for run in chosen if grid.trains(run.config)]
    costs = _costs(experiment, trained, {run.name for run in waiting})
    known = [cost for cost in costs if cost.multiply_adds]
    why_not = _why_not(experiment, costs, known)
    smallest = min(known, key=lambda cost: cost.multiply_adds, default=None)
    return Forecast(
        cells=len({tuple(run.axes.items()) for run in runs}),
        seeds=len(experiment.seeds),
        runs=len(runs),
        chosen=len(chosen),
        done=len(chosen) - len(waiting),
        costs=costs,
        measured=measure(smallest) if smallest and not why_not else None,
        why_not=why_not,
    )


def _why_not(experiment: Experiment, costs: list[Cost], known: list[Cost]) -> str:
    if experiment.study:
        return "its runs are those of a study, whose time only a run tells"
    if len(known) < len(costs):
        return "the multiply-adds of a network of your own are not known"
    return "" if costs else "no run is left"


def measure(cost: Cost) -> Measured:
    """Times the training step of a network on noise; its first call compiles and is kept apart.

    On a CPU a batch that would take minutes is cut, and its time taken to grow with its images.
    """
    with precision.of(cost.config):
        return _measure(cost)


def _measure(cost: Cost) -> Measured:
    device = jax.local_devices()[0]
    images = cost.batch_size
    if device.platform == "cpu":
        images = min(images, max(1, int(CPU_WORK / cost.multiply_adds)))
    parts = cost.config.train.accumulate if images == cost.batch_size else 1
    config = configs.override(
        cost.config, {"train.batch_size": images, "train.accumulate": parts, "devices.count": 0}
    )
    mapping = mappings.single()
    dataset = fake(config.data, Sampling(config.seed, images, images))
    batch = mapping.batch(dataset.train_batch(0))
    state: Any = mapping.place(states.create(config, dataset))
    seconds = []
    for _ in range(1 + TIMED):
        began = time.perf_counter()
        state, _ = mapping.train_step(state, batch)
        jax.block_until_ready(state)
        seconds.append(time.perf_counter() - began)
    step = float(np.median(seconds[1:]))
    return Measured(
        network=cost.network,
        device=f"one {device.device_kind}",
        images=images,
        step=step,
        compile=seconds[0] - step,
        per_multiply_add=step / (images * cost.multiply_adds),
    )


def _costs(experiment: Experiment, runs: Sequence[Run], waiting: set[str]) -> list[Cost]:
    """One row for each network, length and batch."""
    alike: dict[tuple, list[Run]] = {}
    for run in runs:
        alike.setdefault(_key(run.config), []).append(run)
    names = _names([of[0].config for of in alike.values()])
    costs = []
    for name, of in zip(names, alike.values(), strict=True):
        with grid.errors_in_cell(experiment, of[0].axes):
            costs.append(_cost(name, of, sum(run.name in waiting for run in of)))
    return costs


def _cost(name: str, runs: list[Run], waiting: int) -> Cost:
    config = runs[0].config
    info = set_info(config.data)
    model: Any = build_model(config, info.num_classes)
    with precision.of(config):
        counted = (
            None if own_model.is_own(config.model.name) else summarize(model, info.image_shape)
        )
    return Cost(
        network=name,
        config=config,
        runs=len(runs),
        waiting=waiting,
        steps=durations.total(config.train, info.num_train / config.train.batch_size),
        batch_size=config.train.batch_size,
        params=counted.params if counted else 0,
        multiply_adds=counted.multiply_adds if counted else 0,
    )


def _key(config: ConfigDict) -> tuple:
    train = config.train
    network = grid.canonical_json({"model": config.model.to_dict(), "data": config.data.to_dict()})
    return network, train.steps, train.epochs, train.batch_size


def _names(networks: Iterable[ConfigDict]) -> list[str]:
    """What to call each network: its name, and what tells it from others of that name.

    A setting that is left to the zoo is not named.
    """
    settings = [
        configs.flatten({"model": config.model.to_dict(), "data": config.data.to_dict()})
        for config in networks
    ]
    alike = Counter(each["model.name"] for each in settings)
    names = []
    for each in settings:
        name = each["model.name"]
        others = [other for other in settings if other["model.name"] == name]
        telling = [key for key in each if any(other[key] != each[key] for other in others)]
        given = [key for key in telling if each[key] not in ("", None, ())]
        words = [f"{key.rpartition('.')[2]} {each[key]}" for key in given]
        names.append(f"{name} ({', '.join(words)})" if alike[name] > 1 and words else name)
    return names
