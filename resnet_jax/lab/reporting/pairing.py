"""Which cells of two grids are compared with each other, and what has no counterpart."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from resnet_jax.lab.design.protocols import AxisValue
from resnet_jax.lab.formatting import count, listed

Cell = dict[str, AxisValue]

MOST = 5  # cells that a line names


class Pair(NamedTuple):
    """A cell of A and the cell of B that it is compared with."""

    a: Cell
    b: Cell


def pair(
    a: Sequence[Cell], b: Sequence[Cell], distance: Callable[[Cell, Cell], float]
) -> list[Pair]:
    """Pairs the cells of two grids.

    Cells of a pair agree in every axis that both grids have. Where an axis is one grid's alone,
    several cells may agree with one of the other grid: then each of the two must be the nearest to
    the other. Cells at equal distances are all paired.

    Args:
      a: the cells of A.
      b: the cells of B.
      distance: how far two cells are apart, such as the number of settings that differ. It is asked
        only where an axis is one grid's alone.

    Example:
      >>> at = lambda a, b: abs(b["rate"] - 0.01)
      >>> pair([{"depth": 20}], [{"depth": 20, "rate": 0.1}, {"depth": 20, "rate": 0.01}], at)
      [Pair(a={'depth': 20}, b={'depth': 20, 'rate': 0.01})]
    """
    shared = shared_axes(a, b)
    unique = all(len(cell) == len(shared) for cell in (*a, *b))
    apart = {
        (i, j): 0.0 if unique else distance(one, other)
        for i, one in enumerate(a)
        for j, other in enumerate(b)
        if all(one[axis] == other[axis] for axis in shared)
    }
    nearest_to_a = dict.fromkeys(range(len(a)), math.inf)
    nearest_to_b = dict.fromkeys(range(len(b)), math.inf)
    for (i, j), far in apart.items():
        nearest_to_a[i], nearest_to_b[j] = min(nearest_to_a[i], far), min(nearest_to_b[j], far)
    return [
        Pair(a[i], b[j])
        for (i, j), far in apart.items()
        if far == nearest_to_a[i] == nearest_to_b[j]
    ]


def shared_axes(a: Sequence[Cell], b: Sequence[Cell]) -> list[str]:
    """The axes that both grids have, in the order of A."""
    return [axis for axis in a[0] if axis in b[0]]


def in_words(a: Sequence[Cell], b: Sequence[Cell], pairs: Sequence[Pair]) -> Iterator[str]:
    """Says how cells were paired, which axes only one grid has, and which cells are left."""
    shared = shared_axes(a, b)
    agreeing = f", which agree in {' and '.join(shared)}" if shared and pairs else ""
    yield count(len(pairs), "pair") + agreeing
    alone = [(name, cells, axis) for name, cells in (("A", a), ("B", b)) for axis in cells[0]]
    alone = [each for each in alone if each[2] not in shared]
    for name, cells, axis in alone:
        values = _values(dict.fromkeys(cell[axis] for cell in cells))
        yield f"only {name} has the axis {axis}, with {values}"
    for axis in shared if not pairs else ():
        both = [dict.fromkeys(cell[axis] for cell in cells) for cells in (a, b)]
        if not set(both[0]) & set(both[1]):
            yield f"no value of {axis} is in both: {_values(both[0])} in A, {_values(both[1])} in B"
    if alone and pairs:
        yield "where several cells agree, those are paired that differ in the fewest settings"
    for name, other, cells, own in (
        ("A", "B", a, [each.a for each in pairs]),
        ("B", "A", b, [each.b for each in pairs]),
    ):
        if several := sum(own.count(cell) > 1 for cell in cells):
            yield f"{name}: {count(several, 'cell')} in several pairs, being equally near to each"
        if left := [cell for cell in cells if cell not in own]:
            told = f"{len(left)} of {count(len(cells), 'cell')} without a counterpart in {other}"
            yield f"{name}: {told}: {_left(left, cells)}"


def _left(left: Sequence[Cell], cells: Sequence[Cell]) -> str:
    """Some of the cells of a grid in few words: first the values of axes that are left whole."""
    if len(left) == len(cells):
        return "all"
    whole, rest = [], list(left)
    for axis in cells[0]:
        totals = Counter(cell[axis] for cell in cells)
        here = Counter(cell[axis] for cell in left)
        values = [value for value in here if here[value] == totals[value]]
        if any(cell[axis] in values for cell in rest):
            whole.append(f"{axis} {_values(values)}")
            rest = [cell for cell in rest if cell[axis] not in values]
    single = [" ".join(f"{axis} {_values([cell[axis]])}" for axis in cell) for cell in rest]
    return "; ".join(whole + ([listed(single, MOST)] if single else []))


def _values(values: Iterable[AxisValue]) -> str:
    """Values as a list, in quotes where they have commas."""
    return ", ".join(f"'{value}'" if "," in str(value) else str(value) for value in values)
