"""Expands an experiment into its runs: each cell of the grid with each seed."""

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

from resnet_jax.errors import UserError, one_line
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.protocols import AxisValue, Cell, Settings
from resnet_jax.training import config as configs
from resnet_jax.training.config.network import own_source

HASH_DIGITS = 10  # 40 bits: two of a thousand runs collide with a probability of 5e-7


CellKey = tuple[tuple[str, AxisValue], ...]


@dataclass(frozen=True)
class Run:
    """One config and one seed.

    Attributes:
      name: the name of its folder: model, seed and the hash of the full config.
      axes: its cell of the grid.
      seed: its seed, which is also in its config.
      config: its full config.
    """

    name: str
    axes: dict[str, AxisValue]
    seed: int
    config: ConfigDict


def expand(experiment: Experiment, looks: Mapping[CellKey, int] | None = None) -> list[Run]:
    """Makes the runs of an experiment.

    Args:
      experiment: the experiment, loaded from its file, from which the base config is searched.
      looks: numbers of seeds of cells (`key`) that have more than those of the first look.

    Returns:
      One run for each cell and seed: cells in the order of the axes, seeds innermost.

    Raises:
      UserError: the base config is not found, a setting does not exist there or has the wrong
        type, `configure` raises, or two cells have the same config.
    """
    with errors_in_cell(experiment, {}):
        base = configs.override(_base(experiment), experiment.settings)
        cells = list(_cells(experiment))
    runs = []
    for cell, settings in cells:
        for seed in experiment.seeds_at((looks or {}).get(key(cell), experiment.looks[0])):
            with errors_in_cell(experiment, cell):
                config = configs.override(base, {**settings, "seed": seed})
                if trains(config):
                    configs.validate(config)
            runs.append(Run(run_name(config, experiment.name), cell, seed, config))
    with errors_in_cell(experiment, {}):
        _refuse_equal_configs(runs)
    return runs


def key(cell: Cell) -> CellKey:
    """A cell as the key of a dict."""
    return tuple(cell.items())


@contextmanager
def errors_in_cell(experiment: Experiment, cell: Cell) -> Iterator[None]:
    """Adds the experiment's file and the cell to the message of a `UserError`.

    Args:
      experiment: the experiment.
      cell: a cell of its grid; if empty, only the file is added.
    """
    try:
        yield
    except UserError as error:
        where = [str(experiment.file)] if experiment.file else []
        where += [shown(cell)] if cell else []
        raise UserError(": ".join([*where, str(error)])) from error


def trains(config: ConfigDict) -> bool:
    """Whether a config is one of training; otherwise it holds a study's own settings."""
    return "model" in config


def find_base(experiment: Experiment) -> Path:
    """Finds the base config's file: beside the experiment's file, or in the nearest folder above.

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
    """Returns the name of a run: `resnet56-seed0-3f2a9c1b04`, with a hash of the full config.

    For a network of the user's own, the hash includes the contents of its file.

    Args:
      config: a full config, with `seed`.
      experiment: stands in for the model's name if the config is a study's.

    Returns:
      A name for a folder; equal for equal configs on every machine.
    """
    own = own_source(config.model.name) if trains(config) else b""
    digest = hashlib.sha256(canonical_json(config.to_dict()).encode() + own).hexdigest()
    subject = config.model.name if trains(config) else experiment
    subject = re.sub(r"[^\w-]+", "-", subject)  # the user's own network is named by a path
    return f"{subject}-seed{config.seed}-{digest[:HASH_DIGITS]}"


def canonical_json(settings: dict[str, Any]) -> str:
    """Returns JSON that is equal for equal settings: keys sorted, no spaces.

    Raises:
      UserError: a value has no JSON form.
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
        raise UserError(f"configure failed for {shown(cell)}: {one_line(error)}") from error
    if settings is not None and "seed" in settings:
        raise UserError(
            f"configure sets 'seed' for {shown(cell)}; list the seeds under `seeds` instead"
        )
    return settings


def _refuse_equal_configs(runs: list[Run]) -> None:
    seen: dict[str, Run] = {}
    for run in runs:
        other = seen.setdefault(run.name, run)
        if other is not run:
            raise UserError(
                f"{shown(other.axes)} and {shown(run.axes)} have the same config; make them "
                "differ, or let `configure` return None for one of them"
            )


def shown(cell: Cell) -> str:
    """A cell in a message: `family='plain', depth=56`."""
    return ", ".join(f"{axis}={value!r}" for axis, value in cell.items()) or "the only cell"
