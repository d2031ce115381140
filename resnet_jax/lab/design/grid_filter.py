"""Selects a part of a grid with `--only`, so that several commands can share its runs.

The plan and the report cover the whole grid; the runs outside the part are "missing" until another
command, possibly on another machine, has run them.
"""

from collections.abc import Mapping, Sequence

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.grid import Run
from resnet_jax.lab.design.protocols import AxisValue

GridFilter = Mapping[str, Sequence[AxisValue]]
"""The values to keep of some axes; the other axes are not restricted."""


def parse(experiment: Experiment, options: Sequence[str]) -> GridFilter:
    """Parses the `--only AXIS=VALUE[,VALUE]` options.

    Args:
      experiment: the experiment, for its axes.
      options: one string for each `--only`; values of the same axis add up. A value that contains
        a comma needs an option of its own.

    Returns:
      The values to keep of each axis that is named, with the types that they have in the axis.

    Raises:
      UserError: the experiment has no such axis or value.

    Example:
      >>> grid = Experiment(question="?", base="b.py", axes={"depth": (20, 56), "bias": (False,)})
      >>> parse(grid, ["depth=56", "bias=false"])
      {'depth': [56], 'bias': [False]}
    """
    only: dict[str, list[AxisValue]] = {}
    for option in options:
        axis, equals, given = option.partition("=")
        if not equals:
            raise UserError(f"--only {option}: write AXIS=VALUE, or AXIS=VALUE,VALUE")
        if axis not in experiment.axes:
            hint = did_you_mean(axis, experiment.axes) if experiment.axes else "it has no axes"
            raise UserError(f"--only {option}: the experiment has no axis {axis!r}; {hint}")
        only.setdefault(axis, []).extend(_values(option, given, experiment.axes[axis]))
    return only


def select(runs: Sequence[Run], only: GridFilter) -> list[Run]:
    """Selects the runs of a part of the grid, in the grid's order.

    Raises:
      UserError: no run is left: `configure` returns None for all of these cells. A report on no
        runs would read as if all were done.
    """
    kept = [run for run in runs if all(run.axes[axis] in only[axis] for axis in only)]
    if not kept:
        options = " ".join(f"--only {axis}={','.join(map(str, only[axis]))}" for axis in only)
        raise UserError(
            f"{options}: no run is left; `configure` leaves out these cells"
            if only
            else "the grid is empty; `configure` leaves out every cell"
        )
    return kept


def _values(option: str, given: str, values: Sequence[AxisValue]) -> list[AxisValue]:
    words = given.split(",") if _spelled(given, values) is None else [given]
    return [_value(option, word, values) for word in words]


def _value(option: str, word: str, values: Sequence[AxisValue]) -> AxisValue:
    if (value := _spelled(word, values)) is not None:
        return value
    for value in values:  # 1e-2 for 0.01
        if isinstance(value, int | float) and not isinstance(value, bool) and _is(word, value):
            return value
    hint = did_you_mean(word, map(str, values))
    raise UserError(f"--only {option}: the axis has no value {word!r}; {hint}")


def _spelled(word: str, values: Sequence[AxisValue]) -> AxisValue | None:
    """The value that is spelled like this, or the only one that is if case is ignored."""
    exact = [value for value in values if str(value) == word]
    alike = [value for value in values if str(value).lower() == word.lower()]
    found = exact or alike
    return found[0] if len(found) == 1 else None


def _is(word: str, value: float) -> bool:
    try:
        return float(word) == value
    except ValueError:
        return False
