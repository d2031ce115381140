"""Reads the folders of runs into tables: one row for each run, and one row for each record."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from resnet_jax.errors import UserError
from resnet_jax.lab import inference
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.formatting import count, estimate
from resnet_jax.lab.measures import Measure, describe
from resnet_jax.lab.results.folder import (
    Folder,
    PlannedRun,
    experiments_in,
    read_experiment,
    read_plan,
)
from resnet_jax.lab.statistics import Summary
from resnet_jax.training.run.environment import differing
from resnet_jax.training.run.run_folder import Result, RunFolder, checksum

Status = Literal["done", "diverged", "failed", "missing"]
ENDED: tuple[Status, ...] = ("done", "diverged")  # these runs have a value for each measure
SECONDS = ("compile", "train", "total")  # of `Result.seconds`


@dataclass(frozen=True)
class Records:
    """The results of an experiment's runs.

    Attributes:
      experiment: the experiment.
      runs: one row for each run of the grid: `run`, a column for each axis, `seed`, `status`
        ("done", "diverged", "failed", "missing"), a column for each measure, `train_examples` and
        `test_examples` (of each split; NaN if unknown), `steps`, `seconds_compile`,
        `seconds_train`, `seconds_total`, `message`. A run that diverged has the values in
        `Experiment.diverged`; one that failed or is missing has NaN.
      metrics: one row for each record: `run`, `kind` ("train", "eval", "probe", ...), `split`,
        `step` and the recorded quantities; NaN where a kind of record does not have one.
      environments: environment.json of each run that has one, by the run's name.
      unplanned: number of folders of runs that are not in the grid; they are ignored.
    """

    experiment: Experiment
    runs: pd.DataFrame
    metrics: pd.DataFrame
    environments: dict[str, dict[str, Any]]
    unplanned: int

    def summary(self, measure: str, cell: Cell) -> Summary:
        """Returns mean, spread and 95% interval of a measure over the runs of a cell."""
        return summarized(of_cell(self.runs, cell), measure)

    def values(self, measure: str, cell: Cell) -> pd.Series:
        """Returns a measure of each run of a cell; NaN for a run without a value."""
        return of_cell(self.runs, cell)[measure]

    @property
    def code_differs(self) -> list[str]:
        """The files of this package that were not the same in all runs."""
        return differing(each.get("code", {}) for each in self.environments.values())

    def told(self, measure: str, cell: Cell) -> str:
        """Returns the summary in words: `16.3% (95% interval 15.1 to 17.5, 3 runs)`."""
        found = self.summary(measure, cell)
        if not found.n:
            return "not known yet"
        runs = count(found.n, "run")
        return estimate(found.mean, found.low, found.high, describe(measure).unit, runs)


def read(folder: Folder) -> Records:
    """Reads the results of an experiment, finished or not.

    Args:
      folder: the experiment's folder of results.

    Returns:
      Its tables, with a row for every run of the plan, whatever its status.

    Raises:
      UserError: the folder holds no results, or the records of a run are corrupt.
    """
    plan, experiment = read_plan(folder), read_experiment(folder)
    metrics = [_read_metrics(folder.runs / run.name) for run in plan.runs]
    runs = [
        _run_row(folder.runs / run.name, run, experiment, of_run)
        for run, of_run in zip(plan.runs, metrics, strict=True)
    ]
    environments = {run.name: RunFolder(folder.runs / run.name).environment() for run in plan.runs}
    names = {run.name for run in (*plan.runs, *plan.tuning)}
    return Records(
        experiment,
        pd.DataFrame(runs),
        pd.concat(metrics, ignore_index=True),
        {name: each for name, each in environments.items() if each},
        sum(path.is_dir() and path.name not in names for path in folder.runs.glob("*")),
    )


def of_cell(runs: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    """Selects the rows of the runs table with the values of a cell.

    Args:
      runs: the runs table.
      cell: values of axes; axes that it does not name are not restricted.
    """
    chosen = pd.Series(True, index=runs.index)
    for axis, value in cell.items():
        chosen &= runs[axis] == value
    return runs[chosen]


def values_by_seed(runs: pd.DataFrame, cell: Cell, measure: str) -> dict[int, float]:
    """Returns a measure of the runs of a cell, by seed; NaN for a run without a value."""
    found = of_cell(runs, cell)
    return dict(zip(found["seed"], found[measure], strict=True))


def examples(runs: pd.DataFrame, measure: Measure) -> float:
    """Returns the number of examples that a measure is a share of; NaN if it is none or unknown."""
    column = f"{measure.share_of}_examples"
    return float(runs[column].max()) if measure.share_of and column in runs else math.nan


def summarized(runs: pd.DataFrame, measure: str) -> Summary:
    """Returns mean, spread and 95% interval of a measure over the given rows (`inference`)."""
    described = describe(measure)
    return inference.sample(runs[measure], described, examples(runs, described)).summary


def with_values(runs: pd.DataFrame) -> pd.DataFrame:
    """Selects the rows of the runs that have values for the measures: done or diverged."""
    return runs[runs["status"].isin(ENDED)]


def load_records(path: str | Path) -> pd.DataFrame:
    """Reads every record of a run, of an experiment, or of all experiments in a folder.

    Args:
      path: the folder of a run (`train --workdir`), of an experiment (`results/degradation`), or
        of experiments (`results`).

    Returns:
      One row for each record, in the order of writing: `experiment` and the columns of its axes
      (none for a single run), `run`, `seed`, `status` ("done", "diverged", "failed", or "missing"
      for a run that has not ended), then `kind`, `split`, `step` and the recorded quantities. A
      quantity with the name of an axis is renamed: `depth` becomes `depth_recorded`. Columns that
      an experiment or a kind of record does not have are NaN.

    Raises:
      UserError: the folder is none of these, or records are corrupt.

    Example:
      records = load_records("results/degradation")
      curves = records.query("kind == 'train' and step == 300")
      curves.groupby(["family", "depth"])["error"].mean()
    """
    path = Path(path)
    if Folder(path).plan.is_file():
        return _records_of_experiment(path)
    if RunFolder(path).exists():
        return _records_of_run(path)
    if not path.is_dir():
        raise UserError(f"{path}: there is no such folder")
    return pd.concat(map(_records_of_experiment, experiments_in(path)), ignore_index=True)


def _records_of_experiment(path: Path) -> pd.DataFrame:
    found = read(Folder(path))
    axes = list(found.experiment.axes)
    known = ["experiment", *axes, "seed", "status"]
    runs = found.runs[["run", *axes, "seed", "status"]]
    runs = runs.assign(experiment=found.experiment.results_name)
    clashing = {name: f"{name}_recorded" for name in known if name in found.metrics}
    joined = found.metrics.rename(columns=clashing).merge(runs, on="run", how="left")
    first = ["experiment", "run", *axes, "seed", "status"]
    return joined[[*first, *(name for name in joined if name not in first)]]


def _records_of_run(path: Path) -> pd.DataFrame:
    folder = RunFolder(path)
    result = folder.result()
    metrics = _read_metrics(path)
    metrics["run"] = path.resolve().name  # also for the path "."
    metrics.insert(0, "experiment", "")
    metrics.insert(2, "seed", folder.settings().get("seed"))
    metrics.insert(3, "status", result.status if result else "missing")
    return metrics


def _run_row(
    path: Path, run: PlannedRun, experiment: Experiment, metrics: pd.DataFrame
) -> dict[str, Any]:
    result = _read_result(path, experiment)
    values: dict[str, float] = {}
    if result.status == "done":
        derived = {name: derive(metrics) for name, derive in experiment.derive.items()}
        values = result.final | derived
    elif result.status == "diverged":
        values = dict(experiment.diverged)
    return {
        "run": run.name,
        **run.axes,
        "seed": run.seed,
        "status": result.status,
        **{measure: values.get(measure, math.nan) for measure in experiment.measures},
        **{f"{split}_examples": _examples(metrics, split) for split in ("train", "test")},
        "steps": result.step,
        **{f"seconds_{of}": result.seconds.get(of, math.nan) for of in SECONDS},
        "message": result.message,
    }


def _examples(metrics: pd.DataFrame, split: str) -> float:
    """The number of examples of the last evaluation of a split; NaN if unknown."""
    if "examples" not in metrics:
        return math.nan
    chosen = (metrics["kind"] == "eval") & (metrics["split"] == split)
    found = metrics[chosen]["examples"].dropna()
    return float(found.iloc[-1]) if len(found) else math.nan


def _read_result(path: Path, experiment: Experiment) -> Result:
    """Reads a run's result; an unusable one counts as failed."""
    try:
        result = RunFolder(path).result()
    except UserError as error:
        return Result("failed", str(error), step=0)
    if result is None:
        return Result("missing", "", step=0)
    if result.records is not None and result.records != checksum(path):
        records = path / "metrics.jsonl"
        message = f"{records} has changed since the run ended; remove {path} and run again"
        return Result("failed", message, step=0)
    if result.status not in ("done", "diverged", "failed"):
        return Result("failed", f"result.json: unknown status {result.status!r}", step=0)
    required = [each for each in experiment.measures if each not in experiment.derive]
    lacking = [each for each in required if not _is_finite(result.final.get(each))]
    if result.status == "done" and lacking:
        message = f"result.json has no finite {' or '.join(lacking)}"
        return Result("failed", message, result.step, result.seconds)
    return result


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _read_metrics(path: Path) -> pd.DataFrame:
    """The records of a run, in the form of `Records.metrics`; empty if it has none."""
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
            if number == len(lines):  # the process was killed while writing it
                break
            raise UserError(
                f"{file}, line {number}: not a JSON object ({error}); remove {file.parent} and run "
                "the experiment again"
            ) from error
    return rows
