"""The folder of an experiment's results, and the plan in it.

    results/<experiment>/           at another scale than the file's own, <experiment>-<scale>
      experiment.py     a copy of the experiment's file
      experiment.json   the plan: name, path of the file, command, the runs of the grid, and what
                        was registered before the first of them
      runs/<run>/       one folder for each run (`training.run.run_folder`)
      runs.csv          one row for each run
      table.csv         one row for each cell and measure
      figures/          each figure as PNG and SVG
      report.html       all of it in one file

Tables and report are made from this folder alone: they need neither the base config nor the code
that made the runs. Folders of runs that are not in the plan are ignored.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from resnet_jax.errors import UserError
from resnet_jax.files import write_atomically
from resnet_jax.lab.design import experiment as experiments
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.grid import Run
from resnet_jax.lab.design.looks import Until
from resnet_jax.lab.design.protocols import AxisValue
from resnet_jax.lab.design.tuning import tuning_runs
from resnet_jax.lab.results.registration import Registration, departures, now, register
from resnet_jax.training.config.network import own_source


@dataclass(frozen=True)
class PlannedRun:
    """A run of the grid: its name, its cell and its seed."""

    name: str
    axes: dict[str, AxisValue]
    seed: int


@dataclass(frozen=True)
class PlannedTuningRun(PlannedRun):
    """A run that tries nuisance settings in a cell (`design.tuning`)."""

    settings: dict[str, Any]


@dataclass(frozen=True)
class GridPlan:
    """The runs that an experiment consists of.

    Attributes:
      name: the experiment's name.
      source: the path of its file, as it was given.
      command: the command line that runs it.
      runs: every run of the grid, done or not.
      scale: the scale of the grid; empty in plans of versions without scales.
      looks: the numbers of seeds at which claims are judged; empty in plans of earlier versions.
      registration: what was fixed before the first run (`results.registration`); empty likewise.
      tuning: the runs that choose the cells' nuisance settings; they are in no table of results.
      departures: what was changed since, each as a date and a sentence, in the order of its time.
    """

    name: str
    source: str
    command: str
    runs: tuple[PlannedRun, ...]
    scale: str = ""
    looks: tuple[int, ...] = ()
    registration: Registration = field(default_factory=dict)
    tuning: tuple[PlannedTuningRun, ...] = ()
    departures: tuple[tuple[str, str], ...] = ()

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the runs, which the command line may have set."""
        return tuple(dict.fromkeys(run.seed for run in self.runs))


@dataclass(frozen=True)
class Folder:
    """The paths in an experiment's folder of results."""

    path: Path

    @property
    def experiment(self) -> Path:
        """The copy of the experiment's file."""
        return self.path / "experiment.py"

    @property
    def plan(self) -> Path:
        """The plan."""
        return self.path / "experiment.json"

    @property
    def runs(self) -> Path:
        """The folder of the runs' folders."""
        return self.path / "runs"

    @property
    def runs_table(self) -> Path:
        """The table with one row for each run."""
        return self.path / "runs.csv"

    @property
    def table(self) -> Path:
        """The table with one row for each cell and measure."""
        return self.path / "table.csv"

    @property
    def figures(self) -> Path:
        """The folder of the figures."""
        return self.path / "figures"

    @property
    def report(self) -> Path:
        """The report."""
        return self.path / "report.html"


def experiments_in(results: Path) -> list[Path]:
    """Lists the folders of experiments in a folder of results, by name.

    Raises:
      UserError: there are none.
    """
    found = sorted(path for path in results.glob("*") if Folder(path).plan.is_file())
    if not found:
        raise UserError(f"{results}: holds no results of experiments; `resnet-jax run` makes them")
    return found


def write_plan(folder: Folder, experiment: Experiment, runs: Sequence[Run], command: str) -> None:
    """Writes the plan and a copy of the experiment's file; makes the folder if necessary.

    Args:
      folder: the folder of the results.
      experiment: the experiment, loaded from a file.
      runs: the runs of its grid (`grid.expand`).
      command: the command line that runs the experiment, for the report.
    """
    assert experiment.file is not None, "an experiment with results was loaded from a file"
    folder.runs.mkdir(parents=True, exist_ok=True)
    if experiment.file.resolve() != folder.experiment.resolve():
        shutil.copyfile(experiment.file, folder.experiment)
    for name in {run.config.model.name for run in runs if "model" in run.config}:
        if own := own_source(name):  # the user's own network is kept with its results
            (folder.path / Path(name.rpartition(":")[0]).name).write_bytes(own)
    registration, departures = _registered(folder, experiment)
    plan = GridPlan(
        name=experiment.name,
        source=str(experiment.file),
        command=command,
        runs=tuple(PlannedRun(run.name, run.axes, run.seed) for run in runs),
        scale=experiment.scale,
        looks=experiment.looks,
        registration=registration,
        tuning=tuple(
            PlannedTuningRun(run.name, run.axes, run.seed, run.settings)
            for run in tuning_runs(experiment)
        ),
        departures=departures,
    )
    # Atomically: other machines may be running other parts of the grid and read it.
    write_atomically(folder.plan, json.dumps(asdict(plan), indent=1) + "\n")


def _registered(
    folder: Folder, experiment: Experiment
) -> tuple[Registration, tuple[tuple[str, str], ...]]:
    """The registration of the first run, and all departures from it until now."""
    if not folder.plan.is_file():
        return register(experiment), ()
    plan = read_plan(folder)
    known = {text for _, text in plan.departures}
    found = [text for text in departures(plan.registration, experiment) if text not in known]
    return plan.registration, (*plan.departures, *((now(), text) for text in found))


def read_plan(folder: Folder) -> GridPlan:
    """Reads the plan.

    Raises:
      UserError: there is none, or it is corrupt.
    """
    if not folder.plan.is_file():
        raise UserError(
            f"{folder.path}: holds no results of an experiment (no {folder.plan.name}); "
            "`resnet-jax run EXPERIMENT.py` makes such a folder"
        )
    try:
        fields = json.loads(folder.plan.read_text())
        runs = tuple(PlannedRun(**run) for run in fields.pop("runs"))
        tuning = tuple(PlannedTuningRun(**run) for run in fields.pop("tuning", ()))
        looks = tuple(fields.pop("looks", ()))
        departed = tuple((time, text) for time, text in fields.pop("departures", ()))
        return GridPlan(**fields, runs=runs, tuning=tuning, looks=looks, departures=departed)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"{folder.plan}: is not the plan of an experiment ({error}); remove it and "
            "run the experiment again, which repeats no finished run"
        ) from error


def read_experiment(folder: Folder) -> Experiment:
    """Loads the copy of the experiment's file, with the name, the scale and the seeds of the plan.

    Raises:
      UserError: the plan or the file is missing, or the experiment does not have the plan's scale.
    """
    plan, experiment = read_plan(folder), experiments.load(folder.experiment)
    # Older plans have no scale, or have "digits" for every experiment's own scale.
    as_written = plan.scale in ("", "digits") and plan.scale not in experiment.scales
    experiment = experiment if as_written else experiment.at_scale(plan.scale)
    return replace(experiment, name=plan.name, seeds=_seeds(plan) or experiment.seeds)


def _seeds(plan: GridPlan) -> tuple[int, ...] | Until:
    """The seeds of the plan, which the command line may have set."""
    return Until(plan.looks, min(plan.seeds)) if len(plan.looks) > 1 else plan.seeds
