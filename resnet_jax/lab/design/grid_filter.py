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
      options: one string for each `--only`; values of the same axis add up. The list is split at
        the commas at which every part is a value of the axis, so that a value may contain commas;
        double quotes make one value of what is between them.

    Returns:
      The values to keep of each axis that is named, with the types that they have in the axis.

    Raises:
      UserError: the experiment has no such axis or value, or the list can be split in two ways.

    Example:
      >>> grid = Experiment(question="?", base="b.py", axes={"depth": (20, 56), "bias": (False,)})
      >>> parse(grid, ["depth=56", "bias=false"])
      {'depth': [56], 'bias': [False]}
      >>> grid = Experiment(question="?", base="b.py", axes={"net": ("32", "32, one layer", "56")})
      >>> parse(grid, ["net=32, one layer,56"])
      {'net': ['32, one layer', '56']}
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
        options = " ".join(f"--only {axis}={_list(only[axis])}" for axis in only)
        raise UserError(
            f"{options}: no run is left; `configure` leaves out these cells"
            if only
            else "the grid is empty; `configure` leaves out every cell"
        )
    return kept


def _values(option: str, given: str, values: Sequence[AxisValue]) -> list[AxisValue]:
    """Splits a list so that every part is a value of the axis, which must be possible in one way.

    `ways[end]` holds the ways to split the first `end` words, two at most: more tell nothing new.
    """
    words = given.split(",")
    ways: list[list[list[AxisValue]]] = [[[]]]
    for end in range(1, len(words) + 1):
        found = [
            [*before, value]
            for start in range(end)
            for value in _matches(",".join(words[start:end]), values)
            for before in ways[start]
        ]
        ways.append(found[:2])
    if len(ways[-1]) == 1:
        return ways[-1][0]
    if ways[-1]:
        readings = " or as ".join(_list(way, always=True) for way in ways[-1])
        raise UserError(
            f"--only {option}: can be read as {readings}; write one of these, with its double "
            "quotes, and single quotes around the whole for the shell"
        )
    read = max(end for end, way in enumerate(ways) if way)
    hint = did_you_mean(words[read].strip(), map(str, values))
    raise UserError(f"--only {option}: the axis has no value {words[read]!r}; {hint}")


def _list(values: Sequence[AxisValue], always: bool = False) -> str:
    """The values as one list for `--only`, in double quotes where they have commas, or always."""
    words = map(str, values)
    return ",".join(f'"{word}"' if always or "," in word else word for word in words)


def _matches(given: str, values: Sequence[AxisValue]) -> list[AxisValue]:
    """The value that a part of the list stands for, if there is one."""
    word = given.strip()
    if len(word) > 1 and word[0] == word[-1] == '"':
        word = word[1:-1]
    exact = [value for value in values if str(value) == word]
    alike = [value for value in values if str(value).lower() == word.lower()]
    if len(found := exact or alike) == 1:
        return found
    return [value for value in values if _is(word, value)][:1]  # 1e-2 for 0.01


def _is(word: str, value: AxisValue) -> bool:
    try:
        return type(value) in (int, float) and float(word) == value
    except ValueError:
        return False
