"""What tuning runs found, and the nuisance settings that they choose for each cell."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from resnet_jax.errors import UserError
from resnet_jax.lab.design.grid import CellKey, key
from resnet_jax.lab.design.protocols import Cell, Settings
from resnet_jax.lab.formatting import count
from resnet_jax.training.run.run_folder import Result, RunFolder

DIGITS = 9  # to which means are compared: rounding errors do not choose


class Planned(Protocol):
    """A tuning run: of the grid (`design.tuning.TuningRun`) or of the plan."""

    @property
    def name(self) -> str:
        """The name of its folder."""

    @property
    def axes(self) -> Cell:
        """Its cell."""

    @property
    def settings(self) -> Settings:
        """The nuisance settings that it tries."""


@dataclass(frozen=True)
class Candidate:
    """A combination of nuisance settings, tried in one cell.

    Attributes:
      settings: the settings.
      errors: the validation error of each run that has ended, in percent; the declared value for a
        run that diverged.
      diverged: number of runs that diverged.
      waiting: number of runs that have not ended, or have failed.
    """

    settings: dict[str, Any]
    errors: tuple[float, ...]
    diverged: int
    waiting: int

    @property
    def mean(self) -> float:
        """Mean validation error, in percent; NaN if no run has ended."""
        return statistics.fmean(self.errors) if self.errors else float("nan")

    @property
    def spread(self) -> float:
        """The largest validation error less the smallest, in percentage points."""
        return max(self.errors, default=0.0) - min(self.errors, default=0.0)


@dataclass(frozen=True)
class TunedCell:
    """A cell and what was tried in it.

    Attributes:
      axes: the cell.
      candidates: the combinations of nuisance settings, in the order of the experiment.
    """

    axes: dict[str, Any]
    candidates: tuple[Candidate, ...]

    @property
    def waiting(self) -> int:
        """Number of tuning runs that have not ended."""
        return sum(each.waiting for each in self.candidates)

    @property
    def chosen(self) -> Candidate | None:
        """The candidate with the lowest mean error; None before all runs have ended.

        Of candidates with the same mean, that with the smaller spread; then the first.
        """
        if self.waiting:
            return None
        return min(
            self.candidates, key=lambda each: (round(each.mean, DIGITS), round(each.spread, DIGITS))
        )

    @property
    def at_edge(self) -> list[str]:
        """The settings of which the smallest or the largest value was chosen.

        Only numbers have an order. Where another value was as good as the one at the edge, that is
        no sign that the range is too narrow.
        """
        if not (chosen := self.chosen):
            return []
        best = [each for each in self.candidates if round(each.mean - chosen.mean, DIGITS) == 0]
        found = []
        for name in chosen.settings:
            values = [each.settings[name] for each in self.candidates]
            numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
            edges = (min(values), max(values)) if numbers and len(set(values)) > 1 else ()
            if edges and all(each.settings[name] in edges for each in best):
                found.append(name)
        return found


def read(runs: Path, planned: Iterable[Planned], diverged: Mapping[str, float]) -> list[TunedCell]:
    """Reads the results of tuning runs.

    Args:
      runs: the folder of the runs' folders.
      planned: the tuning runs, done or not.
      diverged: the value of each measure that a run that diverged counts as
        (`Experiment.diverged`).

    Returns:
      The cells and, in each, the candidates, both in the order of the runs.
    """
    cells: dict[CellKey, dict[str, list[Planned]]] = {}
    for run in planned:
        tried = cells.setdefault(key(run.axes), {})
        tried.setdefault(repr(dict(run.settings)), []).append(run)
    error = diverged.get("test_error", float("nan"))
    return [
        TunedCell(dict(cell), tuple(_candidate(runs, of, error) for of in tried.values()))
        for cell, tried in cells.items()
    ]


def choose(cells: Sequence[TunedCell]) -> Mapping[CellKey, Settings]:
    """The chosen settings of each cell whose tuning runs have all ended."""
    return {key(each.axes): each.chosen.settings for each in cells if each.chosen}


def told(cell: TunedCell) -> str:
    """What was chosen for a cell, in a line."""
    where = ", ".join(f"{axis}={value}" for axis, value in cell.axes.items()) or "the only cell"
    if not (best := cell.chosen):
        return f"{where}: no settings yet; {count(cell.waiting, 'tuning run')} failed or to do"
    words = ", ".join(f"{name}={value}" for name, value in best.settings.items())
    edge = f"; {', '.join(cell.at_edge)} at the edge of its range" if cell.at_edge else ""
    return f"{where}: {words} (validation error {best.mean:.1f}%{edge})"


def _candidate(runs: Path, planned: Sequence[Planned], diverged: float) -> Candidate:
    results = [_result(runs / each.name) for each in planned]
    ended = [each for each in results if each and each.status in ("done", "diverged")]
    errors = [
        float(each.final["test_error"]) if each.status == "done" else diverged for each in ended
    ]
    return Candidate(
        settings=dict(planned[0].settings),
        errors=tuple(errors),
        diverged=sum(each.status == "diverged" for each in ended),
        waiting=len(planned) - len(ended),
    )


def _result(path: Path) -> Result | None:
    try:
        return RunFolder(path).result()
    except UserError:  # corrupt: the run is tried again, and says what to do
        return None
