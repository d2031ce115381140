"""Result tables: statistics over seeds for each cell and measure, and their readable form."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from resnet_jax.lab import inference
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.formatting import NOT_KNOWN, decimals, duration, number
from resnet_jax.lab.measures import Measure, describe
from resnet_jax.lab.results.records import examples, of_cell, summarized

Row = dict[Any, Any]
REMARKS = ("diverged", "failed", "missing", "not finite")  # columns that count runs


@dataclass(frozen=True)
class Readable:
    """A table formatted as text, for a terminal or a page.

    Attributes:
      head: column heads.
      rows: the cells of each row.
      numeric: for each column, whether it holds numbers, to be aligned right.
    """

    head: list[str]
    rows: list[list[str]]
    numeric: list[bool]


def aggregate(runs: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """Summarizes each measure over the seeds of each cell.

    Args:
      runs: the runs table (`Records.runs`).
      experiment: gives the axes and the measures.

    Returns:
      One row for each cell and measure, in grid order: a column for each axis, `measure`, `unit`,
      `n` (runs with a value, diverged ones included), `diverged`, `failed`, `missing`, `not finite`
      (finished runs whose value is not finite), `mean`, `std`, `median`, `low` and `high` (95%
      interval of the mean over seeds), `low_examples` and `high_examples` (95% interval of the mean
      error over examples of its split; NaN for other measures).
    """
    rows = list(_rows(runs, experiment))
    measures = pd.Series([row["measure"] for row in rows], dtype=object)  # keeps a `Measure`
    return pd.DataFrame(rows).assign(measure=measures)


def _rows(runs: pd.DataFrame, experiment: Experiment) -> Iterator[Row]:
    axes = list(experiment.axes)
    cells: list[Row] = runs[axes].drop_duplicates().to_dict("records") if axes else [{}]
    for measure in experiment.measures:
        for cell in cells:
            seeds = of_cell(runs, cell)
            summary = _summary(seeds, describe(measure))
            counts = {
                status: int((seeds["status"] == status).sum())
                for status in ("diverged", "failed", "missing")
            }
            done = seeds[seeds["status"] == "done"][measure]
            counts["not finite"] = int((~np.isfinite(done.astype(float))).sum())
            head = {**cell, "measure": measure, "unit": describe(measure).unit}
            yield {**head, "n": summary.pop("n"), **counts, **summary}


def _summary(seeds: pd.DataFrame, measure: Measure) -> Row:
    of_examples = examples(seeds, measure)
    summary = summarized(seeds, measure)
    low, high = inference.of_examples(summary.mean, of_examples)
    return asdict(summary) | {"low_examples": low, "high_examples": high}


def for_reading(table: pd.DataFrame, experiment: Experiment) -> Readable:
    """Formats an aggregated table, with the decimals that the spread over seeds supports.

    Args:
      table: as returned by `aggregate`.
      experiment: gives the axes, the measures and the labels.
    """
    decimals_of = {m: places(m, of_measure["std"]) for m, of_measure in table.groupby("measure")}
    axes = [experiment.label(axis) for axis in experiment.axes]
    return _readable(
        [*axes, "measure"],
        ["n", "mean", "std", "median", "95% interval, seeds", "95% interval, examples"],
        ["remarks"],
        [
            _cell_words(row, experiment) + _summary_words(row, decimals_of[row["measure"]])
            for row in table.to_dict("records")
        ],
    )


def runs_for_reading(runs: pd.DataFrame, experiment: Experiment) -> Readable:
    """Formats the runs table.

    Args:
      runs: the runs table (`Records.runs`).
      experiment: gives the axes, the measures and the labels.
    """
    finite = {m: runs[m][np.isfinite(runs[m].astype(float))] for m in experiment.measures}
    decimals_of = {m: places(m, [finite[m].std()]) for m in experiment.measures}
    axes = [experiment.label(axis) for axis in experiment.axes]
    return _readable(
        [*axes, "seed", "status"],
        [*(describe(m).title for m in experiment.measures), "time", "compilation"],
        ["run"],
        [
            _cell_words(row, experiment) + _run_words(row, decimals_of)
            for row in runs.to_dict("records")
        ],
    )


def _cell_words(row: Row, experiment: Experiment) -> list[str]:
    return [experiment.label(row[axis]) for axis in experiment.axes]


def _summary_words(row: Row, places: int) -> list[str]:
    return [
        describe(row["measure"]).title,
        str(row["n"]),
        *(number(row[of], places) for of in ("mean", "std", "median")),
        _interval_words(row["low"], row["high"], places) or NOT_KNOWN,
        _interval_words(row["low_examples"], row["high_examples"], places),
        ", ".join(f"{row[of]} {of}" for of in REMARKS if row[of]),
    ]


def _interval_words(low: float, high: float, places: int) -> str:
    return f"{number(low, places)} to {number(high, places)}" if math.isfinite(low) else ""


def _run_words(row: Row, places: dict[str, int]) -> list[str]:
    return [
        str(row["seed"]),
        row["status"],
        *(number(row[measure], places[measure]) for measure in places),
        duration(row["seconds_total"]),
        duration(row["seconds_compile"]),
        row["run"],
    ]


def places(measure: Any, spreads: Iterable[float]) -> int:
    """The decimals of a measure: its own, or those that the spreads support."""
    known = describe(measure).decimals
    return decimals(spreads) if known is None else known


def _readable(
    names: list[str], numbers: list[str], remarks: list[str], rows: list[list[str]]
) -> Readable:
    """Joins groups of columns and drops columns that are empty in every row."""
    head = names + numbers + remarks
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    return Readable(
        [head[i] for i in kept],
        [[row[i] for i in kept] for row in rows],
        [head[i] in numbers for i in kept],
    )
