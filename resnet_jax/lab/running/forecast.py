"""Forecasts of what a grid will take, before it is run and on a machine without its data.

One training step of the smallest network is timed, on noise of the data's shape, and scaled to the
other networks by their multiply-adds. That is a rough estimate: small networks use a large device
less well, and evaluation, checkpoints, compilation and input are left out.
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
from resnet_jax.lab.design.ranges import SPLITS
from resnet_jax.lab.design.tuning import TuningRun, tuning_runs
from resnet_jax.lab.results.folder import Folder
from resnet_jax.lab.running import engine
from resnet_jax.lab.running.tuning import final_runs
from resnet_jax.models.zoo.summary import summarize
from resnet_jax.training import config as configs
from resnet_jax.training.config import durations
from resnet_jax.training.config.network import build_model, is_own
from resnet_jax.training.devices import mapping as mappings
from resnet_jax.training.run.session import Session
from resnet_jax.training.step import precision

TIMED = 3  # steps, after the one that compiles
CPU_WORK = 5e9  # multiply-adds of a timed batch: a second or two on a small CPU


@dataclass(frozen=True)
class Cost:
    """The runs of one network.

    Attributes:
      network: its name, with the settings in which it differs from others of that name.
      config: the config of one of the runs.
      runs: number of runs in the selected part of the grid.
      waiting: number of them that are not done.
      steps: steps of each run.
      batch_size: images of each step.
      params: number of parameters; 0 if unknown.
      multiply_adds: of the forward pass of one image; 0 if unknown.
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
        """Training images of one run over all epochs."""
        return self.steps * self.batch_size


@dataclass(frozen=True)
class Measured:
    """The time of a training step.

    Attributes:
      network: name of the network.
      device: the device.
      images: images of the batch.
      step: seconds of a step, the median of a few.
      compile: seconds by which the first call took longer.
      per_multiply_add: seconds of a step over the (forward) multiply-adds of its batch.
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
      cells: number of cells of the whole grid.
      seeds: number of seeds of each cell.
      runs: number of final runs of the whole grid.
      tuning: number of runs before them that choose nuisance settings.
      chosen: number of runs in the selected part, both kinds.
      done: number of those that are done.
      costs: a row for each network of the part, in the order of the grid.
      measured: the time of a step; None if it could not be measured.
      why_not: the reason for that.
    """

    cells: int
    seeds: int
    runs: int
    tuning: int
    chosen: int
    done: int
    costs: list[Cost]
    measured: Measured | None
    why_not: str = ""

    def hours(self, waiting: bool = True) -> float:
        """Device hours of training steps, of the runs that are not done or of all chosen."""
        if self.measured is None:
            return float("nan")
        work = sum(
            (cost.waiting if waiting else cost.runs) * cost.images * cost.multiply_adds
            for cost in self.costs
        )
        return work * self.measured.per_multiply_add / 3600

    def images(self, waiting: bool = True) -> int:
        """Training images of the runs that are not done, or of all chosen."""
        return sum((cost.waiting if waiting else cost.runs) * cost.images for cost in self.costs)


def forecast(
    experiment: Experiment, results: str | Path, only: GridFilter | None = None
) -> Forecast:
    """Counts the runs of a grid by network, and times a step of the smallest network.

    Args:
      experiment: the experiment.
      results: folder of results, for the runs that are done.
      only: the part of the grid to consider (see `grid_filter`).

    Raises:
      UserError: the grid does not fit the base config, or the shape of its data is unknown.
    """
    folder = Folder(Path(results) / experiment.results_name)
    tried = tuning_runs(experiment)
    runs = final_runs(experiment, folder)
    chosen = grid_filter.select([*tried, *runs], only or {})
    waiting = engine.missing(folder, chosen)
    trained = [run for run in chosen if grid.trains(run.config)]
    costs = _costs(experiment, trained, {run.name for run in waiting})
    known = [cost for cost in costs if cost.multiply_adds]
    why_not = _why_not(experiment, costs, known)
    smallest = min(known, key=lambda cost: cost.multiply_adds, default=None)
    return Forecast(
        cells=len({tuple(run.axes.items()) for run in runs}),
        seeds=len(experiment.first_seeds),
        runs=len(runs),
        tuning=len(tried),
        chosen=len(chosen),
        done=len(chosen) - len(waiting),
        costs=costs,
        measured=time_step(smallest) if smallest and not why_not else None,
        why_not=why_not,
    )


def _why_not(experiment: Experiment, costs: list[Cost], known: list[Cost]) -> str:
    if experiment.study:
        return "the time of a study is unknown before it is run"
    if len(known) < len(costs):
        return "the multiply-adds of a network of your own are unknown"
    return "" if costs else "no run is selected"


def time_step(cost: Cost) -> Measured:
    """Times the training step of a network on noise; the first call, which compiles, is apart.

    On a CPU a batch that would take minutes is cut, and its time assumed proportional to its size.
    """
    device = jax.local_devices()[0]
    images = cost.batch_size
    if device.platform == "cpu":
        images = min(images, max(1, int(CPU_WORK / cost.multiply_adds)))
    parts = cost.config.train.accumulate if images == cost.batch_size else 1
    config = configs.override(
        cost.config, {"train.batch_size": images, "train.accumulate": parts, "devices.count": 0}
    )
    dataset = fake(config.data, Sampling(config.seed, images, images))
    session = Session(config, mappings.single_device(), dataset)
    with session.precision():
        state, batch, seconds = session.fresh(), session.batch(1), []
        for _ in range(1 + TIMED):
            began = time.perf_counter()
            state, _ = session.train_step(state, batch)
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
    """One row for each network, length and batch size."""
    alike: dict[tuple, list[Run]] = {}
    for run in runs:
        alike.setdefault(_key(run.config), []).append(run)
    names = _names([_final(of[0]) for of in alike.values()])
    costs = []
    for name, of in zip(names, alike.values(), strict=True):
        with grid.errors_in_cell(experiment, of[0].axes):
            words = f"{name}, tuning" if isinstance(of[0], TuningRun) else name
            costs.append(_cost(words, of, sum(run.name in waiting for run in of)))
    return costs


def _cost(name: str, runs: list[Run], waiting: int) -> Cost:
    config = runs[0].config
    info = set_info(config.data)
    model: Any = build_model(config, info.num_classes)
    with precision.context(config):
        counted = None if is_own(config.model.name) else summarize(model, info.image_shape)
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


def _final(run: Run) -> ConfigDict:
    """The config of a run; that of a tuning run without its splits, which name no network."""
    splits = dict.fromkeys(SPLITS, "") if isinstance(run, TuningRun) else {}
    return configs.override(run.config, splits)


def _key(config: ConfigDict) -> tuple:
    train = config.train
    network = grid.canonical_json({"model": config.model.to_dict(), "data": config.data.to_dict()})
    return network, train.steps, train.epochs, train.batch_size


def _names(networks: Iterable[ConfigDict]) -> list[str]:
    """The name of each network, with the settings that differ from others of that name.

    Settings that are left to the zoo are not listed.
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
