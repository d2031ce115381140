"""Tuning: the nuisance settings of each cell are chosen before its final runs.

Networks that share a learning rate are compared by how well that rate suits each of them. The Deep
Learning Tuning Playbook (Godbole et al. 2023) therefore tells three kinds of settings apart:
scientific ones are compared (the axes), nuisance ones are chosen anew for each cell
(`Experiment.tune`), the others are fixed. Each cell is trained with every combination of its
nuisance settings, on the training split without its last tenth, and its error is measured on that
tenth. The combination with the lowest mean error is that of the cell's final runs, which train on
the whole split and are tested on the test split. Tuning runs have seeds of their own.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from resnet_jax.data.catalog import SYNTHETIC
from resnet_jax.errors import UserError
from resnet_jax.lab.design import grid, ranges
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.grid import CellKey, Run
from resnet_jax.lab.design.protocols import Settings
from resnet_jax.training import config as configs

UNTUNED = "-untuned"  # ends the names of final runs that wait for their cell's tuning
HELD_OUT = 0.1  # of the training split, as in He et al. 2015, section 4.2: 5,000 of 50,000

_COUNTS = re.compile(r"(\w+)\[(\d+)?:(\d+)\]")
_PERCENTAGES = re.compile(r"(\w+)(?:\[(?:(\d+(?:\.\d+)?)%)?:(?:(\d+(?:\.\d+)?)%)?\])?")


@dataclass(frozen=True)
class TuningRun(Run):
    """A run that tries nuisance settings in a cell.

    Attributes:
      settings: the settings that it tries; they are in its config, too.
    """

    settings: dict[str, Any]


def tuning_runs(experiment: Experiment) -> list[TuningRun]:
    """Makes the runs that choose the nuisance settings.

    Args:
      experiment: the experiment, loaded from its file.

    Returns:
      One run for each cell, combination of nuisance settings and tuning seed, the seeds innermost;
      none if the experiment tunes nothing. Their test split is the validation split.

    Raises:
      UserError: a setting does not exist or has another type, two cells differ in nuisance settings
        alone, or the data have no validation split.
    """
    if not experiment.tune:
        return []
    runs = []
    cells = grid.expand(replace(experiment, tune={}, seeds=experiment.tuning_seeds[:1]))
    with grid.errors_in_cell(experiment, {}):
        _refuse_cells_that_tuning_makes_equal(experiment, cells)
    for cell in cells:
        with grid.errors_in_cell(experiment, cell.axes):
            own = configs.flatten(cell.config.to_dict())
            splits = dict(zip(ranges.SPLITS, _splits(cell), strict=True))
            tried = ranges.combinations(experiment.tune, own)
            for settings, seed in itertools.product(tried, experiment.tuning_seeds):
                config = configs.override(cell.config, {**settings, **splits, "seed": seed})
                configs.validate(config)
                name = grid.run_name(config, experiment.name)
                runs.append(TuningRun(name, cell.axes, seed, config, settings))
    return runs


def with_settings(
    experiment: Experiment, runs: Sequence[Run], chosen: Mapping[CellKey, Settings]
) -> list[Run]:
    """Gives final runs the settings that were chosen for their cells.

    Args:
      experiment: the experiment.
      runs: runs of its grid (`grid.expand`).
      chosen: the settings of each cell (`grid.key`) whose tuning runs have ended.

    Returns:
      The runs in the same order. Those of cells without chosen settings have names that end in
      "-untuned", of which there is never a folder: in tables, they are missing.
    """
    if not experiment.tune:
        return list(runs)
    final = []
    for run in runs:
        settings = chosen.get(grid.key(run.axes))
        if settings is None:
            final.append(replace(run, name=run.name + UNTUNED))
            continue
        with grid.errors_in_cell(experiment, run.axes):
            config = configs.override(run.config, settings)
            configs.validate(config)
        name = grid.run_name(config, experiment.name)
        final.append(replace(run, name=name, config=config))
    return final


def is_tuned(run: Run) -> bool:
    """Whether a final run has its cell's chosen settings, or its experiment tunes nothing."""
    return not run.name.endswith(UNTUNED)


def validation_splits(train_split: str) -> tuple[str, str]:
    """The training split without its last tenth, and that tenth.

    Args:
      train_split: the split that final runs train on; empty for "train".

    Returns:
      `data.train_split` and `data.test_split` of the tuning runs.

    Raises:
      UserError: it is an expression whose last tenth cannot be told without the set's size.

    Example:
      >>> validation_splits("")
      ('train[:90%]', 'train[90%:]')
      >>> validation_splits("train[5000:45000]")
      ('train[5000:41000]', 'train[41000:45000]')
    """
    for pattern, unit in ((_COUNTS, ""), (_PERCENTAGES, "%")):
        if match := pattern.fullmatch(train_split or "train"):
            name, start, stop = match.groups()
            first, last = float(start or 0), float(stop or 100)
            cut = last - HELD_OUT * (last - first)
            middle = f"{cut:.6g}%" if unit else f"{cut:.0f}"
            start, stop = (f"{bound}{unit}" if bound else "" for bound in (start, stop))
            return f"{name}[{start}:{middle}]", f"{name}[{middle}:{stop}]"
    raise UserError(
        f"tune: data.train_split={train_split!r} has no validation split; write a name such as "
        "train, or a slice that begins and ends at a number, such as train[:45000] or train[:50%]"
    )


def _splits(cell: Run) -> tuple[str, str]:
    if cell.config.data.name == SYNTHETIC:
        raise UserError(
            f"tune: data.name={SYNTHETIC!r} has no slices to validate on; use other data"
        )
    return validation_splits(cell.config.data.train_split)


def _refuse_cells_that_tuning_makes_equal(experiment: Experiment, cells: Sequence[Run]) -> None:
    """Refuses cells that differ only in settings that tuning chooses for each of them."""
    seen: dict[str, Run] = {}
    for cell in cells:
        settings = configs.flatten(cell.config.to_dict())
        rest = {name: value for name, value in settings.items() if name not in experiment.tune}
        other = seen.setdefault(grid.canonical_json(rest), cell)
        if other is not cell:
            raise UserError(
                f"tune: {grid.shown(other.axes)} and {grid.shown(cell.axes)} differ in nothing but "
                f"{', '.join(experiment.tune)}, which tuning chooses for each cell; leave out the "
                "axis or the range"
            )
