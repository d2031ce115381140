"""Mistakes in an experiment that can be seen before anything runs."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from resnet_jax.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from resnet_jax.lab.design.experiment import Cell, Experiment

KEPT = ("name", "file", "scale", "scales", "as_written")  # what an experiment has at every scale
TUPLES = {  # the fields that are tuples, and what to write there
    "seeds": "different integers, such as (0, 1, 2)",
    "measures": 'names, such as ("train_error",)',
    "claims": "claims, such as (claims.Greater(...),) with its comma",
    "figures": "figures, such as (figures.Curves(...),) with its comma",
}
COLUMNS = {  # what else the tables of results have beside the axes
    *("experiment", "run", "seed", "status", "steps", "message"),
    *("seconds_compile", "seconds_train", "seconds_total"),
    *("measure", "unit", "n", "mean", "std", "median", "low", "high"),
    *("diverged", "failed", "missing", "not finite"),
}


def check(experiment: "Experiment") -> None:
    """Checks axes, seeds, measures, claims and figures against each other, at every scale.

    Raises:
      UserError: names the first mistake and what to do about it.
    """
    for name, holds in TUPLES.items():
        _check_tuple(name, getattr(experiment, name), holds)
    _check_axes(experiment)
    _check_seeds(experiment)
    _check_measures(experiment)
    _check_claims(experiment)
    _check_figures(experiment)
    _check_paper(experiment)
    if experiment.as_written:
        _check_scales(experiment)


def _check_tuple(where: str, given: Any, holds: str) -> None:
    if isinstance(given, str | bytes) or not isinstance(given, Sequence | np.ndarray):
        plain = isinstance(given, str | bytes | int | float | Mapping | None)
        shown = repr(given) if plain else f"{type(given).__name__}(...)"
        raise UserError(f"{where}: give a tuple of {holds}, not {shown}")


def _check_scales(experiment: "Experiment") -> None:
    known = [field.name for field in fields(experiment) if field.name not in KEPT]
    for scale, replaced in experiment.scales.items():
        where = f"scale {scale!r}"
        if scale == experiment.scale:
            raise UserError(f"{where}: is what the experiment itself is called; name it otherwise")
        if not re.fullmatch(r"[\w-]+", scale):  # it names a folder
            raise UserError(f"{where}: name it with letters, digits, - and _")
        for name in replaced:
            if name in KEPT:
                raise UserError(f"{where}: {name!r} is the same at every scale; take it out")
            if name not in known:
                raise UserError(f"{where}: no field {name!r}; {did_you_mean(name, known)}")
        try:
            experiment.at_scale(scale)
        except UserError as error:
            raise UserError(f"{where}: {error}") from error


def _check_axes(experiment: "Experiment") -> None:
    if not isinstance(experiment.axes, Mapping):
        raise UserError(
            'axes: give each axis with its values, such as {"depth": (20, 56)}, not '
            f"{experiment.axes!r}"
        )
    for axis, values in experiment.axes.items():
        if axis in COLUMNS or axis in experiment.measures:
            raise UserError(f"axis {axis!r}: the tables have a column of that name; rename it")
        _check_tuple(f"axis {axis!r}", values, "at least one value")
        if not len(values):
            raise UserError(f"axis {axis!r}: give a tuple of at least one value, not {values!r}")
        for value in values:
            if not isinstance(value, str | int | float | bool):
                raise UserError(f"axis {axis!r}: {value!r} is not a string, a number or a bool")
        if len(set(values)) < len(values):
            raise UserError(f"axis {axis!r}: a value stands there twice: {tuple(values)!r}")


def _check_seeds(experiment: "Experiment") -> None:
    seeds = list(experiment.seeds)
    if not seeds or len(set(seeds)) < len(seeds) or not all(isinstance(s, int) for s in seeds):
        raise UserError(f"seeds: give one or more different integers, not {experiment.seeds!r}")


def _check_measures(experiment: "Experiment") -> None:
    if experiment.study:  # which cannot diverge
        return
    for measure in experiment.measures:
        if measure not in experiment.diverged:
            raise UserError(
                f"diverged: declare what a run that diverged counts as for {measure!r}, beforehand"
            )


def _check_claims(experiment: "Experiment") -> None:
    for claim in experiment.claims:
        _check_measure(experiment, f"claim {claim.text!r}", claim.measure)
        for cell in claim.cells:
            _check_cell(experiment, f"claim {claim.text!r}", cell)


def _check_figures(experiment: "Experiment") -> None:
    names = [figure.name for figure in experiment.figures]
    if len(set(names)) < len(names):
        raise UserError(f"figures: two have the same name, which names their files: {names}")
    for figure in experiment.figures:
        where = f"figure {figure.name!r}"
        _check_tuple(f"{where}: measures", figure.measures, TUPLES["measures"])
        for measure in figure.measures:
            _check_measure(experiment, where, measure)
        _check_figure_axes(experiment, where, figure.axes)


def _check_paper(experiment: "Experiment") -> None:
    paper = experiment.paper
    if paper is None:
        return
    _check_measure(experiment, f"paper {paper.source!r}", paper.measure)
    for values in itertools.product(*experiment.axes.values()):
        cell = dict(zip(experiment.axes, values, strict=True))
        paper.figure(cell)
        paper.network(cell)


def _check_figure_axes(experiment: "Experiment", where: str, shown: tuple[str, ...]) -> None:
    for axis in shown:
        if axis not in experiment.axes:
            raise UserError(f"{where}: no axis {axis!r}; {did_you_mean(axis, experiment.axes)}")
    for axis, values in experiment.axes.items():
        if axis not in shown and len(values) > 1:  # it would mix what the axis tells apart
            raise UserError(f"{where}: say in `where` which {axis!r} of {tuple(values)!r} to show")


def _check_measure(experiment: "Experiment", where: str, measure: str) -> None:
    if measure not in experiment.measures:
        hint = did_you_mean(measure, experiment.measures)
        raise UserError(f"{where}: {measure!r} is not among the experiment's measures; {hint}")


def _check_cell(experiment: "Experiment", where: str, cell: "Cell") -> None:
    for axis in cell:
        if axis not in experiment.axes:
            raise UserError(f"{where}: no axis {axis!r}; {did_you_mean(axis, experiment.axes)}")
    for axis, values in experiment.axes.items():
        if axis not in cell:
            raise UserError(f"{where}: say which {axis!r} of {tuple(values)!r}")
        if cell[axis] not in values:
            raise UserError(f"{where}: {axis} {cell[axis]!r} is not among {tuple(values)!r}")
