"""Compares two experiments or two runs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from resnet_jax.errors import UserError
from resnet_jax.lab import statistics
from resnet_jax.lab.analysis.tables import Readable
from resnet_jax.lab.design.protocols import AxisValue
from resnet_jax.lab.formatting import NOT_KNOWN, count, decimals, number
from resnet_jax.lab.measures import describe
from resnet_jax.lab.reporting import report
from resnet_jax.lab.reporting.report import Report
from resnet_jax.lab.results.folder import Folder
from resnet_jax.lab.results.records import values_by_seed
from resnet_jax.lab.statistics import Summary
from resnet_jax.training import config as configs
from resnet_jax.training.run.run_folder import RunFolder

Cell = dict[str, AxisValue]


@dataclass(frozen=True)
class Comparison:
    """The differences between A and B, which are two experiments or two runs.

    Attributes:
      settings: one line for each setting that differs, A's value first.
      table: one row for each measure; for experiments, also for each pair of cells.
      notes: how runs ended, or how many cells have no counterpart.
    """

    settings: list[str]
    table: Readable
    notes: list[str]


def compare(a: str | Path, b: str | Path) -> Comparison:
    """Compares the results of two experiments, or two runs.

    Cells are matched by the axes that both experiments have. Differences are B minus A, paired by
    seed over the seeds that both cells have.

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
        return _of_runs(*paths)
    return _of_experiments(*map(report.read, paths))


def _kind(path: Path) -> str:
    if Folder(path).plan.is_file():
        return "an experiment"
    if RunFolder(path).exists():
        return "a run"
    raise UserError(f"{path}: neither an experiment's results nor a run")


def _of_runs(a: Path, b: Path) -> Comparison:
    results = [RunFolder(path).result() for path in (a, b)]
    finals = [result.final if result else {} for result in results]
    rows = [
        [describe(name).title, *_values(name, [final.get(name, float("nan")) for final in finals])]
        for name in dict.fromkeys([*finals[0], *finals[1]])
    ]
    states = [result.status if result else "not finished" for result in results]
    notes = [f"{path}: {state}" for path, state in zip((a, b), states, strict=True)]
    table = Readable(["measure", "A", "B", "B − A"], rows, [False, True, True, True])
    settings = [RunFolder(path).settings() for path in (a, b)]
    return Comparison(configs.differences(*settings), table, notes)


def _values(measure: str, pair: Sequence[float]) -> list[str]:
    known = describe(measure).decimals
    places = 4 if known is None else known
    values = [number(value, places) for value in pair]
    return [*values, number(pair[1] - pair[0], places, sign=True)]


def _of_experiments(a: Report, b: Report) -> Comparison:
    axes = [each.records.experiment.axes for each in (a, b)]
    shared = [axis for axis in axes[0] if axis in axes[1]]
    if all(axes) and not shared:
        raise UserError(
            f"{a.folder.path} and {b.folder.path} share no axis: {', '.join(axes[0])} and "
            f"{', '.join(axes[1])}"
        )
    measures = [m for m in a.table["measure"].unique() if m in set(b.table["measure"])]
    if not measures:
        raise UserError(f"{a.folder.path} and {b.folder.path} have no measure in common")
    cells = [_cells(each) for each in (a, b)]
    pairs = [
        (one, other)
        for one in cells[0]
        for other in cells[1]
        if all(one[axis] == other[axis] for axis in shared)
    ]
    names = list(dict.fromkeys([*axes[0], *axes[1]]))
    head = [*names, "measure", "A", "n", "B", "n", "B − A, paired", "n"]
    rows = [
        [*_words(one, other, names), *_row(a, b, one, other, measure)]
        for measure in measures
        for one, other in pairs
    ]
    numeric = [False] * (len(names) + 1) + [True] * 6
    notes = list(_unmatched(cells, pairs))
    return Comparison(_settings(a, b, pairs), Readable(head, rows, numeric), notes)


def _cells(of: Report) -> list[Cell]:
    """The cells of the grid, in its order."""
    cells = {tuple(run.axes.items()): run.axes for run in of.plan.runs}
    return list(cells.values())


def _words(one: Cell, other: Cell, axes: Sequence[str]) -> list[str]:
    return [str(one.get(axis, other.get(axis))) for axis in axes]


def _row(a: Report, b: Report, one: Cell, other: Cell, measure: str) -> list[str]:
    values = [
        values_by_seed(each.records.runs, cell, measure) for each, cell in ((a, one), (b, other))
    ]
    summaries = [statistics.summarize(each.values()) for each in values]
    difference = statistics.paired_difference(*reversed(values))
    return [
        describe(measure).title,
        *(text for each in summaries for text in (_summary(measure, each), str(each.n))),
        _summary(measure, difference, sign=True),
        str(difference.n),
    ]


def _summary(measure: str, of: Summary, sign: bool = False) -> str:
    """A mean with its interval: `3.1 (2.7 to 3.5)`; without one, the mean alone."""
    places = decimals([of.high - of.low])
    mean, low, high = (number(value, places, sign) for value in (of.mean, of.low, of.high))
    return mean if low == NOT_KNOWN else f"{mean} ({low} to {high})"


def _settings(a: Report, b: Report, pairs: Sequence[tuple[Cell, Cell]]) -> list[str]:
    """The settings other than the seed that differ between runs of matched cells."""
    found: Counter[str] = Counter()
    compared = 0
    for one, other in pairs:
        started = [_any_run(each, cell) for each, cell in ((a, one), (b, other))]
        if all(started):
            lines = configs.differences(*(run.settings() for run in started if run))
            found.update(line for line in lines if not line.startswith("seed:"))
            compared += 1
    return [
        line if times == compared else f"{line} (in {times} of {count(compared, 'cell')})"
        for line, times in found.items()
    ]


def _any_run(of: Report, cell: Cell) -> RunFolder | None:
    """The first run of a cell that was started; None if none was."""
    folders = (RunFolder(of.folder.runs / run.name) for run in of.plan.runs if run.axes == cell)
    return next((folder for folder in folders if folder.exists()), None)


def _unmatched(cells: list[list[Cell]], pairs: Sequence[tuple[Cell, Cell]]) -> Iterator[str]:
    for which, (name, own) in enumerate(zip("AB", cells, strict=True)):
        unmatched = sum(all(pair[which] != cell for pair in pairs) for cell in own)
        if unmatched:
            yield f"{name}: {count(unmatched, 'cell')} without a counterpart"
