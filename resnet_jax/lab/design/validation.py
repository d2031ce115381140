"""Validates an experiment's fields when it is made, before anything runs."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.lab.design.paper import Paper
from resnet_jax.lab.design.protocols import AxisValue, Cell, Claim, Figure
from resnet_jax.lab.design.ranges import SPLITS, Range, Times

Axes = Mapping[str, Sequence[AxisValue]]

SEQUENCES = {  # fields that are sequences, and what they hold
    "seeds": "different integers, such as (0, 1, 2)",
    "tuning_seeds": "different integers, such as (1000, 1001)",
    "measures": 'names, such as ("train_error",)',
    "claims": "claims, such as (claims.Greater(...),) with its comma",
    "figures": "figures, such as (figures.Curves(...),) with its comma",
}
COLUMNS = {  # of the tables of results, which have one column for each axis too
    *("experiment", "run", "seed", "status", "steps", "message"),
    *("train_examples", "test_examples", "low_examples", "high_examples"),
    *("seconds_compile", "seconds_train", "seconds_total"),
    *("measure", "unit", "n", "mean", "std", "median", "low", "high"),
    *("diverged", "failed", "missing", "not finite"),
}


def check_sequence(where: str, given: Any, content: str) -> None:
    """Rejects a field that should be a tuple and is not; lists and ranges are accepted."""
    if isinstance(given, str | bytes) or not isinstance(given, Sequence | np.ndarray):
        plain = isinstance(given, str | bytes | int | float | Mapping | None)
        shown = repr(given) if plain else f"{type(given).__name__}(...)"
        raise UserError(f"{where}: expected a tuple of {content}, not {shown}")


def check_axes(axes: Any, measures: Sequence[str]) -> None:
    """Rejects axes without values, with repeated values, or named like a column of the tables."""
    if not isinstance(axes, Mapping):
        raise UserError(
            f'axes: expected a dict of axes and their values, such as {{"depth": (20, 56)}}, not '
            f"{axes!r}"
        )
    for axis, values in axes.items():
        if axis in COLUMNS or axis in measures:
            raise UserError(
                f"axis {axis!r}: the tables of results have a column of that name; rename the axis"
            )
        check_sequence(f"axis {axis!r}", values, "at least one value")
        if not len(values):
            raise UserError(f"axis {axis!r}: expected at least one value, not {values!r}")
        for value in values:
            if not isinstance(value, str | int | float | bool):
                raise UserError(f"axis {axis!r}: {value!r} is not a string, a number or a bool")
        if len(set(values)) < len(values):
            raise UserError(f"axis {axis!r}: a value is repeated in {tuple(values)!r}")


def check_seeds(seeds: Sequence[int], where: str = "seeds") -> None:
    """Rejects seeds that are not one or more different integers."""
    if not len(seeds) or len(set(seeds)) < len(seeds) or not all(isinstance(s, int) for s in seeds):
        raise UserError(f"{where}: expected one or more different integers, not {seeds!r}")


def check_tune(
    tune: Mapping[str, Range], tuning_seeds: Sequence[int], seeds: Sequence[int], axes: Axes
) -> None:
    """Rejects ranges that leave no choice, tuned axes, and tuning seeds that are final ones too."""
    if not isinstance(tune, Mapping):
        raise UserError(
            "tune: expected a dict of settings and their values, such as "
            f'{{"optimizer.learning_rate": (0.01, 0.1)}}, not {tune!r}'
        )
    for name, values in tune.items():
        where = f"tune: {name!r}"
        if name in axes:
            raise UserError(f"{where} is an axis, whose values are compared; remove one of them")
        if name in ("seed", *SPLITS):
            raise UserError(f"{where} cannot be tuned; tuning runs set it themselves")
        if isinstance(values, Times):
            continue
        check_sequence(where, values, "two or more values")
        if len(set(values)) < max(2, len(values)):
            raise UserError(f"{where}: expected two or more different values, not {values!r}")
        for value in values:
            if not isinstance(value, str | int | float | bool):
                raise UserError(f"{where}: {value!r} is not a string, a number or a bool")
    check_seeds(tuning_seeds, "tuning_seeds")
    if both := sorted(set(tuning_seeds) & set(seeds)):
        raise UserError(
            f"tuning_seeds: {both} are among the seeds of the final runs; choose others, since "
            "settings that were chosen with a seed would look better than they are with it"
        )


def check_diverged(diverged: Mapping[str, float], measures: Sequence[str]) -> None:
    """Rejects measures without a value for runs that diverge."""
    for measure in measures:
        if measure not in diverged:
            raise UserError(
                f"diverged: {measure!r} has no value; say what it counts as in a run that diverges"
            )


def check_claims(claims: Sequence[Claim], axes: Axes, measures: Sequence[str]) -> None:
    """Rejects claims about measures or cells that the experiment does not have."""
    for claim in claims:
        where = f"claim {claim.text!r}"
        _check_measure(where, claim.measure, measures)
        for cell in claim.cells:
            _check_cell(where, cell, axes)


def check_figures(figures: Sequence[Figure], axes: Axes, measures: Sequence[str]) -> None:
    """Rejects figures of unknown measures or axes, and those that would mix values of an axis."""
    names = [figure.name for figure in figures]
    if len(set(names)) < len(names):
        raise UserError(f"figures: names of files have to differ, and two are the same: {names}")
    for figure in figures:
        where = f"figure {figure.name!r}"
        check_sequence(f"{where}: measures", figure.measures, SEQUENCES["measures"])
        for measure in figure.measures:
            _check_measure(where, measure, measures)
        _check_names(where, figure.axes, axes)
        for axis, values in axes.items():
            if axis not in figure.axes and len(values) > 1:
                raise UserError(
                    f"{where}: it does not tell the values {tuple(values)!r} of axis {axis!r} "
                    "apart; choose one of them in `where`"
                )


def check_paper(paper: Paper, axes: Axes, measures: Sequence[str]) -> None:
    """Rejects a paper whose measure is unknown or whose functions fail for a cell."""
    _check_measure(f"paper {paper.source!r}", paper.measure, measures)
    for values in itertools.product(*axes.values()):
        cell = dict(zip(axes, values, strict=True))
        paper.figure(cell)
        paper.network(cell)


def _check_measure(where: str, measure: str, measures: Sequence[str]) -> None:
    if measure not in measures:
        raise UserError(
            f"{where}: {measure!r} is not one of the experiment's measures; "
            f"{did_you_mean(measure, measures)}"
        )


def _check_cell(where: str, cell: Cell, axes: Axes) -> None:
    _check_names(where, cell, axes)
    for axis, values in axes.items():
        if axis not in cell:
            raise UserError(f"{where}: a cell has no {axis!r}; choose one of {tuple(values)!r}")
        if cell[axis] not in values:
            raise UserError(f"{where}: {axis}={cell[axis]!r} is not one of {tuple(values)!r}")


def _check_names(where: str, given: Sequence[str] | Cell, axes: Axes) -> None:
    for axis in given:
        if axis not in axes:
            raise UserError(f"{where}: no axis {axis!r}; {did_you_mean(axis, axes)}")
