"""Where an experiment keeps its results, and what its plan says that they are.

    results/<experiment>/           at another scale than its own, <experiment>-<scale>
      experiment.py     a copy of the experiment's file
      experiment.json   the plan: its name, where the file was, the command, the runs of the grid
      runs/<run>/       one folder a run, which training writes
      runs.csv          one row a run
      table.csv         one row a cell and measure
      figures/          each figure as PNG and SVG
      report.html       all of it, in one file

With the plan, tables and report follow from this folder alone: neither the base config nor the
code that made the runs is needed any more, and folders of runs that are not (or no longer) in
the plan change nothing.
"""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from resnet_jax.errors import UserError
from resnet_jax.lab.design import experiment as experiments
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.protocols import AxisValue
from resnet_jax.lab.design.grid import Run
from resnet_jax.training.config import own_model


@dataclass(frozen=True)
class Planned:
    """A run that the grid asks for: its name, its cell, its seed."""

    name: str
    axes: dict[str, AxisValue]
    seed: int


@dataclass(frozen=True)
class Plan:
    """What an experiment's folder is to hold.

    Attributes:
      name: the experiment's name.
      source: the path of its file, as it was given.
      command: what to type to run it.
      runs: every run of the grid, done or not.
      scale: the scale of the grid; empty in plans of before there were any.
    """

    name: str
    source: str
    command: str
    runs: tuple[Planned, ...]
    scale: str = ""

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the runs, which the command may have set in place of the experiment."""
        return tuple(dict.fromkeys(run.seed for run in self.runs))


@dataclass(frozen=True)
class Folder:
    """An experiment's folder of results."""

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
        """The table with one row a run."""
        return self.path / "runs.csv"

    @property
    def table(self) -> Path:
        """The table with one row a cell and measure."""
        return self.path / "table.csv"

    @property
    def figures(self) -> Path:
        """The folder of the figures."""
        return self.path / "figures"

    @property
    def report(self) -> Path:
        """The report."""
        return self.path / "report.html"


def write_plan(folder: Folder, experiment: Experiment, runs: Sequence[Run], command: str) -> None:
    """Copies the experiment's file and writes the plan, making the folder if need be.

    Args:
      folder: where the results go.
      experiment: as `experiment.load` gives it.
      runs: as `grid.expand` gives them.
      command: what to type to run the experiment, for the report.
    """
    assert experiment.file is not None, "an experiment with results was loaded from a file"
    folder.runs.mkdir(parents=True, exist_ok=True)
    if experiment.file.resolve() != folder.experiment.resolve():
        shutil.copyfile(experiment.file, folder.experiment)
    for name in {run.config.model.name for run in runs if "model" in run.config}:
        if own := own_model.content(name):  # kept with what was measured on it
            (folder.path / Path(name.rpartition(":")[0]).name).write_bytes(own)
    planned = tuple(Planned(run.name, run.axes, run.seed) for run in runs)
    plan = Plan(experiment.name, str(experiment.file), command, planned, experiment.scale)
    # Whole or not at all: other machines may work on other parts of the grid, and read it.
    scratch = folder.plan.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps(asdict(plan), indent=1) + "\n")
    scratch.replace(folder.plan)


def read_plan(folder: Folder) -> Plan:
    """Reads the plan.

    Raises:
      UserError: there is none, or it is not one.
    """
    if not folder.plan.is_file():
        raise UserError(
            f"{folder.path}: holds no results of an experiment (no {folder.plan.name}); "
            "`resnet-jax run EXPERIMENT.py` makes such a folder"
        )
    try:
        fields = json.loads(folder.plan.read_text())
        runs = tuple(Planned(**run) for run in fields.pop("runs"))
        return Plan(**fields, runs=runs)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"{folder.plan}: is not the plan of an experiment ({error}); run the experiment again"
        ) from error


def read_experiment(folder: Folder) -> Experiment:
    """Reads the copy of the experiment's file; name, scale and seeds are those of the plan.

    Raises:
      UserError: there is no plan or no file, or it has not the plan's scale.
    """
    plan, experiment = read_plan(folder), experiments.load(folder.experiment)
    # The scale as written may have had another name when the plan was, as "digits" once was all's.
    as_written = plan.scale in ("", "digits") and plan.scale not in experiment.scales
    experiment = experiment if as_written else experiment.at_scale(plan.scale)
    return replace(experiment, name=plan.name, seeds=plan.seeds or experiment.seeds)
