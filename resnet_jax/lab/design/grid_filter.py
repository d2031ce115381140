"""A piece of a grid: the runs to start this time, where several commands share it.

The plan and the report keep the whole grid; what was left out is "missing" there until another
command, on another machine it may be, has done it.
"""

from collections.abc import Mapping, Sequence

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.grid import Run
from resnet_jax.lab.design.protocols import AxisValue

Only = Mapping[str, Sequence[AxisValue]]


def parse(experiment: Experiment, texts: Sequence[str]) -> Only:
    """What `--only AXIS=VALUE[,VALUE]` asks for, typed as the axis's values are.

    Args:
      experiment: for its axes.
      texts: one for each `--only`; those of one axis add up. A value with a comma in it stands
        alone.

    Returns:
      The values to keep of each axis that is named.

    Raises:
      UserError: an axis or a value that the experiment does not have.

    Example:
      >>> grid = Experiment(question="?", base="b.py", axes={"depth": (20, 56), "bias": (False,)})
      >>> parse(grid, ["depth=56", "bias=false"])
      {'depth': [56], 'bias': [False]}
    """
    only: dict[str, list[AxisValue]] = {}
    for text in texts:
        axis, equals, given = text.partition("=")
        if not equals:
            raise UserError(f"--only {text}: write AXIS=VALUE, or AXIS=VALUE,VALUE")
        if axis not in experiment.axes:
            hint = did_you_mean(axis, experiment.axes) if experiment.axes else "it has none"
            raise UserError(f"--only {text}: no axis {axis!r}; {hint}")
        only.setdefault(axis, []).extend(_values(text, given, experiment.axes[axis]))
    return only


def keep(runs: Sequence[Run], only: Only) -> list[Run]:
    """The runs of a grid that lie in the piece, in the grid's order.

    Raises:
      UserError: there are none, as where `configure` leaves out every cell of the piece; a report
        on it would read as if all were done.
    """
    kept = [run for run in runs if all(run.axes[axis] in only[axis] for axis in only)]
    if not kept:
        asked = " ".join(f"--only {axis}={_listed(only[axis])}" for axis in only)
        raise UserError(
            f"{asked}: the grid leaves out the cells that this names"
            if only
            else "the grid is empty: `configure` leaves out every cell"
        )
    return kept


def _listed(values: Sequence[AxisValue]) -> str:
    return ",".join(map(str, values))


def _values(text: str, given: str, values: Sequence[AxisValue]) -> list[AxisValue]:
    words = given.split(",") if _written(given, values) is None else [given]
    return [_value(text, word, values) for word in words]


def _value(text: str, word: str, values: Sequence[AxisValue]) -> AxisValue:
    if (value := _written(word, values)) is not None:
        return value
    for value in values:  # 1e-2 for 0.01
        if isinstance(value, int | float) and not isinstance(value, bool) and _is(word, value):
            return value
    raise UserError(f"--only {text}: no value {word!r}; {did_you_mean(word, map(str, values))}")


def _written(word: str, values: Sequence[AxisValue]) -> AxisValue | None:
    """The value that is written so, or the only one that is but for its case."""
    exact = [value for value in values if str(value) == word]
    alike = [value for value in values if str(value).lower() == word.lower()]
    found = exact or alike
    return found[0] if len(found) == 1 else None


def _is(word: str, value: float) -> bool:
    try:
        return float(word) == value
    except ValueError:
        return False
