"""The main table of an experiment: one axis as columns, the others as rows, the best in bold."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from resnet_jax.lab.analysis import tables
from resnet_jax.lab.analysis.tables import Row as Statistics
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.paper import FAIL
from resnet_jax.lab.design.protocols import AxisValue
from resnet_jax.lab.formatting import NOT_KNOWN, capitalized, count, number
from resnet_jax.lab.measures import describe

MOST_COLUMNS = 8


@dataclass(frozen=True)
class Entry:
    """One number of the table.

    Attributes:
      mean: the mean, as text.
      std: the standard deviation over seeds, as text; empty with a single run.
      remark: the number of seeds where it differs from the other cells', diverged runs.
      best: whether it is set in bold.
    """

    mean: str = ""
    std: str = ""
    remark: str = ""
    best: bool = False


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
      words: the values of the row's axes.
      entries: one for each column.
      ours: whether the numbers are of our runs, not of the paper.
    """

    words: list[str]
    entries: list[Entry]
    ours: bool = True


@dataclass(frozen=True)
class Block:
    """The rows of one measure, under its title."""

    title: str
    rows: list[Row]


@dataclass(frozen=True)
class MainTable:
    """The table.

    Attributes:
      heads: the heads of the columns that name a row.
      axis: the label of the axis whose values are the other columns; empty without one.
      columns: its values.
      blocks: the rows, by measure.
      notes: what the numbers, the bold ones and the paper's are, one sentence each.
    """

    heads: list[str]
    axis: str
    columns: list[str]
    blocks: list[Block]
    notes: list[str]


def columns_axis(experiment: Experiment) -> str:
    """The axis whose values are the columns.

    It is the first of these that has two to eight values: "depth", the horizontal axis of a figure,
    the last axis of numbers, and the axis with the fewest values; "" if there is none.
    """
    lengths = {axis: len(values) for axis, values in experiment.axes.items()}
    drawn = [getattr(figure, "x", "") for figure in experiment.figures]
    numeric = [axis for axis, values in experiment.axes.items() if _numeric(values)]
    fewest = sorted(lengths, key=lambda axis: lengths[axis])
    known = ["depth", *drawn, *reversed(numeric), *fewest]
    return next((axis for axis in known if 2 <= lengths.get(axis, 0) <= MOST_COLUMNS), "")


def _numeric(values: Sequence[AxisValue]) -> bool:
    return all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)


def main_table(table: pd.DataFrame, experiment: Experiment, warning: str = "") -> MainTable:
    """Arranges the statistics of an experiment.

    Args:
      table: the statistics (`tables.aggregate`).
      experiment: gives the axes, their labels, the measures and the paper's numbers.
      warning: how our set-up differs from the paper's.
    """
    axis = columns_axis(experiment)
    across = list(dict.fromkeys(table[axis])) if axis else [""]
    down = [each for each in experiment.axes if each != axis]
    usual = next((n for n, _ in Counter(table["n"]).most_common() if n), 0)
    blocks = [
        Block(describe(str(measure)).title, list(_rows(part, experiment, axis, across, usual)))
        for measure, part in table.groupby("measure", sort=False)
    ]
    notes = list(_notes(blocks, experiment, usual, bool(down) or not axis, warning))
    heads = [experiment.label(each) for each in down]
    if not axis:
        titles = [block.title for block in blocks]
        return MainTable(heads, "", titles, [_side_by_side(blocks)], notes)
    return MainTable(
        heads=heads or ["measure"],
        axis=experiment.label(axis),
        columns=[experiment.label(value) for value in across],
        blocks=blocks if down else [_joined(blocks)],
        notes=notes,
    )


def _rows(
    table: pd.DataFrame, experiment: Experiment, axis: str, across: list[AxisValue], usual: int
) -> Iterator[Row]:
    """The rows of one measure, each followed by the paper's where it has numbers."""
    measure = table["measure"].iloc[0]
    places = tables.places(measure, table["std"])
    down = [each for each in experiment.axes if each != axis]
    grid: dict[tuple[AxisValue, ...], dict[AxisValue, Statistics]] = {}
    for cell in table.to_dict("records"):
        of_row = grid.setdefault(tuple(cell[each] for each in down), {})
        of_row[cell[axis] if axis else ""] = cell
    best = _best(grid, across, measure, places)
    for values, cells in grid.items():
        words = [experiment.label(value) for value in values]
        entries = [
            _entry(cells[at], places, usual, (values, at) in best) if at in cells else Entry()
            for at in across
        ]
        yield Row(words, entries)
        paper = [_of_paper(experiment, measure, cells.get(at), places) for at in across]
        if any(each.mean for each in paper):
            yield Row([*words[:-1], ", ".join([*words[-1:], "paper"])], paper, ours=False)


def _entry(cell: Statistics, places: int, usual: int, best: bool) -> Entry:
    n, diverged = cell["n"], cell["diverged"]
    remarks = [f"n = {n}"] if 0 < n != usual else []
    remarks += [f"{diverged} diverged"] if diverged else []
    std = number(cell["std"], places)
    return Entry(
        number(cell["mean"], places), "" if std == NOT_KNOWN else std, ", ".join(remarks), best
    )


def _of_paper(experiment: Experiment, measure: str, cell: Statistics | None, places: int) -> Entry:
    paper = experiment.paper
    if paper is None or cell is None or measure != paper.measure:
        return Entry()
    values = {axis: cell[axis] for axis in experiment.axes}
    figure = paper.figure(values)
    if figure is None:
        return Entry()
    other = paper.networks is not None and experiment.scale != paper.scale
    network = paper.network(values) if other else ""
    return Entry(FAIL if figure == FAIL else number(float(figure), places), remark=network)


def _best(
    grid: Mapping[tuple[AxisValue, ...], Mapping[AxisValue, Statistics]],
    across: Sequence[AxisValue],
    measure: str,
    places: int,
) -> set[tuple[tuple[AxisValue, ...], AxisValue]]:
    """The cells in bold: by column, or of the only row."""
    sign = {"lower": 1, "higher": -1, "": 0}[describe(measure).better]
    cell_of = {(row, at): cells[at] for row, cells in grid.items() for at in across if at in cells}
    groups = [[key for key in cell_of if key[1] == at] for at in across]
    if len(grid) == 1:
        groups = [list(cell_of)]
    found: set[tuple[tuple[AxisValue, ...], AxisValue]] = set()
    for group in groups:
        known = [key for key in group if math.isfinite(cell_of[key]["mean"])]
        if not sign or len(known) < 2:
            continue
        first = cell_of[min(known, key=lambda key: sign * cell_of[key]["mean"])]
        found |= {key for key in known if _as_good(cell_of[key], first, sign, places)}
    return found


def _as_good(cell: Statistics, best: Statistics, sign: int, places: int) -> bool:
    """Whether a mean is in the 95% interval of the best one, or rounds to the same."""
    far = best["high"] if sign > 0 else best["low"]  # NaN, and so never reached, with one seed
    within = bool(sign * cell["mean"] <= sign * far)
    return within or number(cell["mean"], places) == number(best["mean"], places)


def _joined(blocks: list[Block]) -> Block:
    """Blocks of one row each as one block, whose rows the measures name."""
    rows = [
        replace(row, words=[f"{block.title}{'' if row.ours else ', paper'}"])
        for block in blocks
        for row in block.rows
    ]
    return Block("", rows)


def _side_by_side(blocks: list[Block]) -> Block:
    """Blocks of one column each as one block, with a column for each measure."""
    found = [{tuple(row.words): row.entries[0] for row in block.rows} for block in blocks]
    longest = max(blocks, key=lambda block: len(block.rows))  # it has the paper's rows
    return Block(
        "",
        [
            Row(row.words, [each.get(tuple(row.words), Entry()) for each in found], row.ours)
            for row in longest.rows
        ],
    )


def _notes(
    blocks: list[Block], experiment: Experiment, usual: int, by_column: bool, warning: str
) -> Iterator[str]:
    entries = [each for block in blocks for row in block.rows for each in row.entries if row.ours]
    if not usual:
        yield "No run has ended."
        return
    shown = "Mean ± standard deviation over" if any(each.std for each in entries) else "Values of"
    others = ", where no other n is given" if any("n =" in each.remark for each in entries) else ""
    yield f"{shown} {count(usual, 'seed')}{others}."
    if any(each.best for each in entries):
        highs = [m for m in experiment.measures if describe(m).better == "higher"]
        where = "of the column" if by_column else "of the row"
        least = (
            f"best ({'highest' if highs else 'lowest'})"
            if not highs or len(highs) == len(experiment.measures)
            else "best"
        )
        yield (
            f"Bold: the {least} mean {where}, and every mean within its 95% interval."
            if any(each.std for each in entries)
            else f"Bold: the {least} value {where}; a single seed says nothing of its spread."
        )
    if experiment.paper and any(not row.ours for block in blocks for row in block.rows):
        words = f": {experiment.paper.words}" if experiment.paper.words else ""
        yield capitalized(f"paper: {experiment.paper.source}{words}.")
        if warning:
            yield warning
