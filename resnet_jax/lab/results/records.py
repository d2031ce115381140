"""From the folders of runs to tables: one row a run, and one row a record."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from resnet_jax.errors import UserError
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.results.folder import Folder, Plan, Planned
from resnet_jax.lab.measures import describe
from resnet_jax.lab.statistics import Summary, summarize
from resnet_jax.lab.formatting import count, estimate
from resnet_jax.training.run.environment import differing
from resnet_jax.training.run.run_folder import RunFolder, checksum

Status = Literal["done", "diverged", "failed", "missing"]
ENDED: tuple[Status, ...] = ("done", "diverged")  # the runs that have a value for each measure


@dataclass(frozen=True)
class Records:
    """What the runs of an experiment left behind.

    Attributes:
      experiment: the experiment.
      runs: one row for each run of the grid: `run`, a column for each axis, `seed`, `status`
        ("done", "diverged", "failed", "missing"), a column for each measure, `steps`,
        `seconds_compile`, `seconds_train`, `seconds_total`, `message`. A run that diverged has
        the measures declared for it; one that failed or is missing has NaN.
      metrics: one row for each record: `run`, `kind` ("train", "eval"), `split`, `step` and what
        was measured there.
      environments: the environment of each run that has one, by the run's name.
      strangers: how many folders of runs belong to no run of the grid, and were left out.
    """

    experiment: Experiment
    runs: pd.DataFrame
    metrics: pd.DataFrame
    environments: dict[str, dict[str, Any]]
    strangers: int

    def summary(self, measure: str, cell: Cell) -> Summary:
        """What the runs of a cell say of a measure."""
        return summarize(self.values(measure, cell))

    def values(self, measure: str, cell: Cell) -> pd.Series:
        """A measure of each run of a cell; NaN for one without a value."""
        return of_cell(self.runs, cell)[measure]

    @property
    def code_differs(self) -> list[str]:
        """The files of this package that were not the same for all runs."""
        return differing(each.get("code", {}) for each in self.environments.values())

    def told(self, measure: str, cell: Cell) -> str:
        """The same in words: `16.3% (95% interval 15.1 to 17.5, 3 runs)`."""
        found = self.summary(measure, cell)
        if not found.n:
            return "not known yet"
        runs = count(found.n, "run")
        return estimate(found.mean, found.low, found.high, describe(measure).unit, runs)


def read(folder: Folder, experiment: Experiment, plan: Plan) -> Records:
    """Reads what the runs of a plan have written so far.

    Args:
      folder: the experiment's results.
      experiment: the experiment, for its axes, measures and declared values.
      plan: the runs of the grid.

    Returns:
      The tables, with a row for every run of the plan, whatever became of it.

    Raises:
      UserError: records of a run cannot be read.
    """
    metrics = [metrics_of(folder.runs / run.name) for run in plan.runs]
    runs = [
        _run_row(folder.runs / run.name, run, experiment, of_run)
        for run, of_run in zip(plan.runs, metrics, strict=True)
    ]
    environments = {run.name: RunFolder(folder.runs / run.name).environment() for run in plan.runs}
    names = {run.name for run in plan.runs}
    return Records(
        experiment,
        pd.DataFrame(runs),
        pd.concat(metrics, ignore_index=True),
        {name: each for name, each in environments.items() if each},
        sum(path.is_dir() and path.name not in names for path in folder.runs.glob("*")),
    )


def of_cell(runs: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    """The rows of the runs table that lie in a cell, or in the cells that a part of one names."""
    chosen = pd.Series(True, index=runs.index)
    for axis, value in cell.items():
        chosen &= runs[axis] == value
    return runs[chosen]


def with_values(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of the runs that have a value for each measure, measured or declared."""
    return runs[runs["status"].isin(ENDED)]


def _run_row(
    path: Path, run: Planned, experiment: Experiment, metrics: pd.DataFrame
) -> dict[str, Any]:
    result = _result(path, experiment)
    status: Status = result["status"]
    values = {"done": result.get("final", {}), "diverged": experiment.diverged}.get(status, {})
    if status == "done":
        values = values | {name: derive(metrics) for name, derive in experiment.derive.items()}
    seconds = result.get("seconds", {})
    return {
        "run": run.name,
        **run.axes,
        "seed": run.seed,
        "status": status,
        **{measure: values.get(measure, math.nan) for measure in experiment.measures},
        "steps": result.get("step", 0),
        **{f"seconds_{of}": seconds.get(of, math.nan) for of in ("compile", "train", "total")},
        "message": result.get("message", ""),
    }


def _result(path: Path, experiment: Experiment) -> dict[str, Any]:
    file = path / "result.json"
    if not file.is_file():
        return {"status": "missing"}
    try:
        result = json.loads(file.read_text())
        final = result.get("final", {})
        required = [m for m in experiment.measures if m not in experiment.derive]
        lacking = [m for m in required if not math.isfinite(final.get(m, math.nan))]
    except (ValueError, AttributeError, TypeError):
        return _failed("result.json is not readable; delete the run's folder and run again")
    if result.get("records") is not None and result["records"] != checksum(path):
        return _failed(
            f"{path / 'metrics.jsonl'} is not what the run wrote; delete the run's folder and run "
            "again"
        )
    if result.get("status") == "done" and lacking:
        return result | _failed(f"result.json has no finite {' or '.join(lacking)}")
    if result.get("status") not in ("done", "diverged", "failed"):
        return _failed(f"result.json has no status that is known: {result.get('status')!r}")
    return result


def _failed(message: str) -> dict[str, Any]:
    return {"status": "failed", "message": message}


def metrics_of(path: Path) -> pd.DataFrame:
    """The records of the run in a folder, as `Records.metrics` has them; empty if it has none.

    Raises:
      UserError: a line is no record.
    """
    rows = pd.DataFrame(_lines(path / "metrics.jsonl"))
    for column in ("kind", "split", "step"):
        if column not in rows:
            rows[column] = pd.Series(dtype=object)
    rows.insert(0, "run", path.name)
    return rows


def _lines(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    lines = file.read_text(errors="replace").splitlines()
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            if number == len(lines):  # the process was killed while it wrote this one
                break
            raise UserError(
                f"{file}, line {number}: is not a record ({error}); delete the run's folder and "
                "run the experiment again"
            ) from error
    return rows
