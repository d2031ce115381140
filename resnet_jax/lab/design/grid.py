"""From an experiment to its runs: each cell of the grid with each seed."""

import hashlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from resnet_jax.errors import UserError
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.protocols import AxisValue, Settings
from resnet_jax.training import config as configs
from resnet_jax.training.config import own_model

HASH_DIGITS = 10  # 40 bits: a thousand runs share a name with odds of one in two million


@dataclass(frozen=True)
class Run:
    """One config and one seed.

    Attributes:
      name: what its folder is called: model, seed and the hash of the full config.
      axes: its cell of the grid.
      seed: its seed, which its config holds too.
      config: its full config.
    """

    name: str
    axes: dict[str, AxisValue]
    seed: int
    config: ConfigDict


def expand(experiment: Experiment) -> list[Run]:
    """The runs of an experiment, cell by cell, the seeds of a cell one after the other.

    Args:
      experiment: as `experiment.load` gives it, so that the base config is found from its file.

    Returns:
      One run for each cell and seed, in the order of the axes.

    Raises:
      UserError: the base config is not found, a setting does not exist there or has the wrong
        type, `configure` fails, or two cells have the same config.
    """
    with in_cell(experiment, {}):
        base = configs.override(_base(experiment), experiment.settings)
        cells = list(_cells(experiment))
    runs = []
    for cell, settings in cells:
        for seed in experiment.seeds:
            with in_cell(experiment, cell):
                config = configs.override(base, {**settings, "seed": seed})
                if trains(config):
                    configs.check(config)
            runs.append(Run(run_name(config, experiment.name), cell, seed, config))
    with in_cell(experiment, {}):
        _refuse_twins(runs)
    return runs


@contextmanager
def in_cell(experiment: Experiment, cell: Mapping[str, AxisValue]) -> Iterator[None]:
    """Says of a mistake found inside of the `with` block in which file's cell it is.

    Where the cell is empty, it says in which file alone.

    Raises:
      UserError: the one that was raised there, with that before it.
    """
    try:
        yield
    except UserError as error:
        where = [str(experiment.file)] if experiment.file else []
        where += [_words(cell)] if cell else []
        raise UserError(": ".join([*where, str(error)])) from error


def trains(config: ConfigDict) -> bool:
    """Whether a config is one of training, and not the settings of a study of its own."""
    return "model" in config


def find_base(experiment: Experiment) -> Path:
    """The base config's file: beside the experiment's file, or in the nearest folder above.

    Raises:
      UserError: it is in none of them.
    """
    name, _, _ = str(experiment.base).partition(":")
    start = (experiment.file or Path("experiment.py")).resolve().parent
    for folder in (start, *start.parents):
        if (folder / name).is_file():
            return folder / name
    raise UserError(f"base {experiment.base!r}: no such file in {start} or in the folders above it")


def _base(experiment: Experiment) -> ConfigDict:
    if experiment.study and experiment.study.defaults:
        return ConfigDict({**experiment.study.defaults, "seed": 0})
    if isinstance(experiment.base, ConfigDict):
        return experiment.base
    _, _, variant = experiment.base.partition(":")
    return configs.load(find_base(experiment), variant)


def run_name(config: ConfigDict, experiment: str = "run") -> str:
    """The name of a run: `resnet56-seed0-3f2a9c1b04`, the hash being that of the full config.

    A network of the user's own is hashed by what its file holds as well: changed, it is another.

    Args:
      config: a full config, with `seed`.
      experiment: what to call a run that is of no network of the zoo.

    Returns:
      A name fit for a folder, the same for equal configs on every machine.
    """
    own = own_model.content(config.model.name) if trains(config) else b""
    digest = hashlib.sha256(canonical_json(config.to_dict()).encode() + own).hexdigest()
    subject = config.model.name if trains(config) else experiment
    subject = re.sub(r"[^\w-]+", "-", subject)  # a network of the user's own has its file's path
    return f"{subject}-seed{config.seed}-{digest[:HASH_DIGITS]}"


def canonical_json(settings: dict[str, Any]) -> str:
    """JSON in which equal settings are equal strings: keys sorted, no spaces.

    Raises:
      UserError: a value is not plain data.
    """
    try:
        return json.dumps(settings, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UserError(f"config: {error}; use strings, finite numbers, bools, lists") from error


def _cells(experiment: Experiment) -> Iterator[tuple[dict[str, AxisValue], Settings]]:
    for values in itertools.product(*experiment.axes.values()):
        cell = dict(zip(experiment.axes, values, strict=True))
        settings = _configure(experiment, cell)
        if settings is not None:
            yield cell, settings


def _configure(experiment: Experiment, cell: dict[str, AxisValue]) -> Settings | None:
    try:
        settings = experiment.configure(**cell)
    except Exception as error:
        raise UserError(f"configure fails for {_words(cell)}: {error}") from error
    if settings is not None and "seed" in settings:
        raise UserError(f"configure sets 'seed' for {_words(cell)}: list it under `seeds` instead")
    return settings


def _refuse_twins(runs: list[Run]) -> None:
    seen: dict[str, Run] = {}
    for run in runs:
        twin = seen.setdefault(run.name, run)
        if twin is not run:
            raise UserError(
                f"{_words(twin.axes)} and {_words(run.axes)} have the same config; make them "
                "differ, or let `configure` return None for one of them"
            )


def _words(cell: Mapping[str, AxisValue]) -> str:
    return ", ".join(f"{axis}={value!r}" for axis, value in cell.items()) or "the only cell"
