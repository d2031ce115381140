"""The table of an experiment: what the seeds of each cell say of each measure."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from resnet_jax.lab import statistics
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.formatting import NOT_KNOWN, decimals, duration, number
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import of_cell

Row = dict[Any, Any]
LOST = ("diverged", "failed", "missing", "not finite")  # counts of runs for the remarks


@dataclass(frozen=True)
class Readable:
    """A table in words, for a terminal or a page.

    Attributes:
      head: the heads of its columns.
      rows: its cells, as strings.
      numeric: of each column, whether it holds numbers, which want to stand at its right.
    """

    head: list[str]
    rows: list[list[str]]
    numeric: list[bool]


def aggregate(runs: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """Summarises each measure over the seeds of each cell.

    Args:
      runs: the runs table (see `records.Records`).
      experiment: for its axes and measures.

    Returns:
      One row for each cell and measure, in the order of the grid: a column for each axis,
      `measure`, `unit`, `n` (runs with a value, those that diverged among them), `diverged`,
      `failed`, `missing`, `not finite` (runs that are done, but for this value), `mean`, `std`,
      `median`, `low` and `high` (the 95% interval).
    """
    return pd.DataFrame(list(_rows(runs, experiment)))


def _rows(runs: pd.DataFrame, experiment: Experiment) -> Iterator[Row]:
    axes = list(experiment.axes)
    cells: list[Row] = runs[axes].drop_duplicates().to_dict("records") if axes else [{}]
    for measure in experiment.measures:
        for cell in cells:
            seeds = of_cell(runs, cell)
            summary = asdict(statistics.summarize(seeds[measure]))
            counts = {
                status: int((seeds["status"] == status).sum())
                for status in ("diverged", "failed", "missing")
            }
            done = seeds[seeds["status"] == "done"][measure]
            counts["not finite"] = int((~np.isfinite(done.astype(float))).sum())
            head = {**cell, "measure": measure, "unit": describe(measure).unit}
            yield {**head, "n": summary.pop("n"), **counts, **summary}


def for_reading(table: pd.DataFrame, experiment: Experiment) -> Readable:
    """The aggregated table in words; digits go no further than the seeds' spread supports.

    Args:
      table: as `aggregate` gives it.
      experiment: for its axes, measures and labels.
    """
    places = {m: _decimals(m, of_measure["std"]) for m, of_measure in table.groupby("measure")}
    axes = [experiment.label(axis) for axis in experiment.axes]
    return _readable(
        [*axes, "measure"],
        ["n", "mean", "std", "median", "95% interval"],
        ["remarks"],
        [
            _cell_words(row, experiment) + _summary_words(row, places[row["measure"]])
            for row in table.to_dict("records")
        ],
    )


def runs_for_reading(runs: pd.DataFrame, experiment: Experiment) -> Readable:
    """The runs table in words.

    Args:
      runs: as `records.Records` holds it.
      experiment: for its axes, measures and labels.
    """
    finite = {m: runs[m][np.isfinite(runs[m].astype(float))] for m in experiment.measures}
    places = {m: _decimals(m, [finite[m].std()]) for m in experiment.measures}
    axes = [experiment.label(axis) for axis in experiment.axes]
    return _readable(
        [*axes, "seed", "status"],
        [*(describe(m).title for m in experiment.measures), "time", "compiling"],
        ["run"],
        [_cell_words(row, experiment) + _run_words(row, places) for row in runs.to_dict("records")],
    )


def _cell_words(row: Row, experiment: Experiment) -> list[str]:
    return [experiment.label(row[axis]) for axis in experiment.axes]


def _summary_words(row: Row, places: int) -> list[str]:
    low, high = number(row["low"], places), number(row["high"], places)
    return [
        describe(row["measure"]).title,
        str(row["n"]),
        *(number(row[of], places) for of in ("mean", "std", "median")),
        low if low == NOT_KNOWN else f"{low} to {high}",
        ", ".join(f"{row[of]} {of}" for of in LOST if row[of]),
    ]


def _run_words(row: Row, places: dict[str, int]) -> list[str]:
    return [
        str(row["seed"]),
        row["status"],
        *(number(row[measure], places[measure]) for measure in places),
        duration(row["seconds_total"]),
        duration(row["seconds_compile"]),
        row["run"],
    ]


def _decimals(measure: Any, spreads: Iterable[float]) -> int:
    known = describe(measure).decimals
    return decimals(spreads) if known is None else known


def _readable(
    names: list[str], numbers: list[str], remarks: list[str], rows: list[list[str]]
) -> Readable:
    """Joins the columns of a table, less those that are empty in every row."""
    head = names + numbers + remarks
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    return Readable(
        [head[i] for i in kept],
        [[row[i] for i in kept] for row in rows],
        [head[i] in numbers for i in kept],
    )
