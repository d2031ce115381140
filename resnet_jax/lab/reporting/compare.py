"""Compares two experiments or two runs."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from resnet_jax.errors import UserError
from resnet_jax.lab import inference
from resnet_jax.lab.analysis.tables import Readable
from resnet_jax.lab.formatting import NOT_KNOWN, count, decimals, listed, number, with_unit
from resnet_jax.lab.measures import describe
from resnet_jax.lab.reporting import pairing, provenance, report
from resnet_jax.lab.reporting.pairing import Cell, Pair
from resnet_jax.lab.reporting.report import Report
from resnet_jax.lab.results.folder import Folder
from resnet_jax.lab.results.records import examples, of_cell, summarized, values_by_seed
from resnet_jax.lab.statistics import Summary
from resnet_jax.training import config as configs
from resnet_jax.training.run.environment import differing
from resnet_jax.training.run.run_folder import RunFolder

DIFFERENCE = "B \N{MINUS SIGN} A"


@dataclass(frozen=True)
class Comparison:
    """The differences between A and B, which are two experiments or two runs.

    Attributes:
      states: how the runs of A, and those of B, ended.
      settings: one line for each setting that differs, A's value first.
      tables: by measure, a table with a row for each pair of cells; for runs, one table with a row
        for each measure.
      cells: which cells are paired, and which have no counterpart; empty for runs.
      notes: what has to be known to read the tables.
    """

    states: tuple[str, str]
    settings: list[str]
    tables: dict[str, Readable]
    cells: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def compare(a: str | Path, b: str | Path) -> Comparison:
    """Compares the results of two experiments, or two runs.

    Cells are paired by the axes that both experiments have; where that leaves several, by the
    fewest settings that differ (`pairing.pair`). Differences are B minus A, paired by seed over the
    seeds that both cells have.

    Args:
      a: folder of an experiment's results or of a run.
      b: another folder of the same kind.

    Raises:
      UserError: a folder is neither, the two are of different kinds, or the experiments have no
        axis or no measure in common.
    """
    paths = Path(a), Path(b)
    kinds = [_kind(path) for path in paths]
    if kinds[0] != kinds[1]:
        raise UserError(f"{a} is {kinds[0]} and {b} is {kinds[1]}; compare two of a kind")
    if kinds[0] == "a run":
        return _of_runs(*map(RunFolder, paths))
    return _of_experiments(*map(report.read, paths))


def _kind(path: Path) -> str:
    if Folder(path).plan.is_file():
        return "an experiment"
    if RunFolder(path).exists():
        return "a run"
    raise UserError(f"{path}: neither an experiment's results nor a run")


def _of_runs(a: RunFolder, b: RunFolder) -> Comparison:
    results = [run.result() for run in (a, b)]
    finals = [result.final if result else {} for result in results]
    rows = [
        [describe(name).title, *_values(name, [final.get(name, math.nan) for final in finals])]
        for name in dict.fromkeys([*finals[0], *finals[1]])
    ]
    states = [f"{r.status}, {count(r.step, 'step')}" if r else "not finished" for r in results]
    table = Readable(["measure", "A", "B", DIFFERENCE], rows, [False, True, True, True])
    notes = list(_code([a.environment(), b.environment()]))
    if rows:
        notes.append("Two single runs: how far apart runs of other seeds would be is not known.")
    settings = configs.differences(_settings(a), _settings(b))
    return Comparison(
        (states[0], states[1]), settings, {"at the end": table} if rows else {}, [], notes
    )


def _values(measure: str, pair: Sequence[float]) -> list[str]:
    known = describe(measure).decimals
    places = 4 if known is None else known
    values = [number(value, places) for value in pair]
    return [*values, number(pair[1] - pair[0], places, sign=True)]


def _of_experiments(a: Report, b: Report) -> Comparison:
    for what, of in (
        ("axis", [list(each.records.experiment.axes) for each in (a, b)]),
        ("measure", [list(each.records.experiment.measures) for each in (a, b)]),
    ):
        if all(of) and not set(of[0]) & set(of[1]):
            raise UserError(
                f"{a.folder.path} and {b.folder.path} share no {what}: {', '.join(of[0])} and "
                f"{', '.join(of[1])}"
            )
    cells = _cells(a), _cells(b)
    pairs = pairing.pair(*cells, lambda one, other: _distance(a, b, Pair(one, other)))
    measures = [m for m in of[0] if m in of[1]]
    return Comparison(
        states=(_state(a), _state(b)),
        settings=_all_differences(a, b, pairs),
        tables={describe(m).title: _table(a, b, pairs, m) for m in measures} if pairs else {},
        cells=list(pairing.in_words(*cells, pairs)),
        notes=list(_notes(a, b, pairs, measures)),
    )


def _state(of: Report) -> str:
    return f"{provenance.state(of.records)}; {count(len(of.plan.seeds), 'seed')}"


def _cells(of: Report) -> list[Cell]:
    """The cells of the grid, in its order."""
    cells = {tuple(run.axes.items()): run.axes for run in of.plan.runs}
    return list(cells.values())


def _table(a: Report, b: Report, pairs: Sequence[Pair], measure: str) -> Readable:
    """The means of each pair of cells and their difference, with 95% intervals."""
    axes = dict.fromkeys([*a.records.experiment.axes, *b.records.experiment.axes])
    found = [_summaries(a, b, pair, measure) for pair in pairs]
    paired = _share_seeds(a, b)
    columns = 6 if paired else 5
    rows = [
        [str((pair.a | pair.b)[axis]) for axis in axes]
        + [
            text
            for each, sign in zip(summaries, (False, False, True), strict=True)
            for text in (_summary(each, sign), str(each.n))
        ][:columns]
        for pair, summaries in zip(pairs, found, strict=True)
    ]
    head = ["A", "n", "B", "n", f"{DIFFERENCE}, {'paired' if paired else 'unpaired'}", "n"]
    return Readable([*axes, *head[:columns]], rows, [False] * len(axes) + [True] * columns)


def _summaries(a: Report, b: Report, pair: Pair, measure: str) -> list[Summary]:
    """Of A, of B, and of the differences at the seeds that both have, if they share any."""
    rows = [of_cell(each.records.runs, cell) for each, cell in zip((a, b), pair, strict=True)]
    values = [values_by_seed(each, {}, measure) for each in rows]
    described, summaries = describe(measure), [summarized(each, measure) for each in rows]
    if not _share_seeds(a, b):
        return [*summaries, unpaired(*summaries)]
    fewest = min((n for each in rows if (n := examples(each, described)) > 0), default=math.nan)
    difference = inference.difference(values[1], values[0], described, fewest).summary
    return [*summaries, difference]


def _share_seeds(a: Report, b: Report) -> bool:
    return bool(set(a.plan.seeds) & set(b.plan.seeds))


def unpaired(a: Summary, b: Summary) -> Summary:
    """The difference b - a of means over different seeds, from the interval of each.

    The distances of the ends from the means are added in quadrature, so that skewed intervals stay
    so (Zou and Donner 2008, Statistics in Medicine 27, 1693-1702). Of five normal values in each
    cell, the interval covers the true difference in 96% of all cases.

    Args:
      a: of one cell.
      b: of another cell.

    Returns:
      Mean, low and high are those of the difference; n is 0, as there is no pair.
    """
    mean = b.mean - a.mean
    low = mean - np.hypot(b.mean - b.low, a.high - a.mean)
    high = mean + np.hypot(b.high - b.mean, a.mean - a.low)
    return Summary(0, mean, math.nan, math.nan, low, high)


def _summary(of: Summary, sign: bool) -> str:
    """A mean with its interval: `3.1 (2.7 to 3.5)`; without one, the mean alone."""
    places = decimals([of.high - of.low])
    mean, low, high = (number(value, places, sign) for value in (of.mean, of.low, of.high))
    return mean if low == NOT_KNOWN else f"{mean} ({low} to {high})"


def _notes(a: Report, b: Report, pairs: Sequence[Pair], measures: Sequence[str]) -> Iterator[str]:
    for name, of in (("A", a), ("B", b)):
        own = [describe(m).title for m in of.records.experiment.measures if m not in measures]
        if own:
            yield f"Only {name} has the measure{'s' * (len(own) > 1)} {', '.join(own)}."
        if (diverged := of.records.runs.query("status == 'diverged'")).size:
            counted = [f"{describe(m).words} {with_unit(diverged[m].iloc[0], m)}" for m in measures]
            runs = count(len(diverged), "run")
            yield f"{name}: {runs} diverged, counted as {', '.join(counted)}."
    if not pairs:
        return
    if not _share_seeds(a, b):
        yield "A and B have no seed in common, so that differences are not paired."
    elif a.plan.seeds != b.plan.seeds:
        yield f"{DIFFERENCE} is over the seeds that both cells have; A and B over all of their own."
    if same := len({run.name for run in a.plan.runs} & {run.name for run in b.plan.runs}):
        yield f"{count(same, 'run')} of A and of B have the same config and seed."
    rows = len(pairs) * len(measures)
    yield "In parentheses: the 95% interval of each mean; none without spread over seeds" + (
        f". Of {rows} differences without any effect, about {round(rows / 20)} would exclude 0."
        if rows >= 20
        else "."
    )
    yield from _code([*a.records.environments.values(), *b.records.environments.values()])


def _code(environments: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Which files of this package differed between the runs, if any did."""
    if files := differing(each.get("code", {}) for each in environments):
        yield f"The runs were not all made by the same code: {listed(files)} differed."


def _all_differences(a: Report, b: Report, pairs: Sequence[Pair]) -> list[str]:
    """The settings that differ between the cells of pairs, and in how many if not in all."""
    found = [lines for pair in pairs if (lines := _differences(a, b, pair)) is not None]
    if pairs and not found:
        return ["not known: in no pair have both cells a run"]
    times = Counter(line for lines in found for line in lines)
    return [
        line if n == len(found) else f"{line} (in {n} of {count(len(found), 'pair')})"
        for line, n in times.items()
    ]


def _distance(a: Report, b: Report, pair: Pair) -> float:
    lines = _differences(a, b, pair)
    return math.inf if lines is None else len(lines)


def _differences(a: Report, b: Report, pair: Pair) -> list[str] | None:
    """The settings other than the seed that differ; None unless both cells have a run."""
    runs = [_any_run(each, cell) for each, cell in zip((a, b), pair, strict=True)]
    if not runs[0] or not runs[1]:
        return None
    lines = configs.differences(_settings(runs[0]), _settings(runs[1]))
    return [line for line in lines if not line.startswith("seed:")]


def _any_run(of: Report, cell: Cell) -> RunFolder | None:
    """The first run of a cell that was started; None if none was."""
    folders = (RunFolder(of.folder.runs / run.name) for run in of.plan.runs if run.axes == cell)
    return next((folder for folder in folders if folder.exists()), None)


def _settings(run: RunFolder) -> dict[str, Any]:
    """The config of a run, with the defaults of settings that are newer than the run."""
    try:
        return configs.to_dict(run.config())
    except UserError:  # a study's settings, or one that is no more
        return run.settings()
