"""Executes what is missing of an experiment's grid, in this process or on workers."""

import itertools
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from resnet_jax.errors import UserError
from resnet_jax.lab.design import grid, grid_filter
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.grid import Run
from resnet_jax.lab.design.grid_filter import GridFilter
from resnet_jax.lab.design.tuning import is_tuned, tuning_runs
from resnet_jax.lab.formatting import count, duration, listed
from resnet_jax.lab.results import records, tuning
from resnet_jax.lab.results.folder import Folder, write_plan
from resnet_jax.lab.running import looks
from resnet_jax.lab.running.dispatch import dispatch
from resnet_jax.lab.running.executors import Executor, Here
from resnet_jax.lab.running.tuning import final_runs, tuned_cells
from resnet_jax.lab.running.worker import Task
from resnet_jax.training.devices import mapping as mappings
from resnet_jax.training.run.environment import code, differing
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.run_folder import RunFolder
from resnet_jax.training.run.session import Session, load_dataset


def run(
    experiment: Experiment,
    results: str | Path,
    command: str,
    observer: Observer | None = None,
    only: GridFilter | None = None,
    executor: Executor | None = None,
    budget: float = math.inf,
    tell: Callable[[str], None] = lambda line: None,
) -> Folder:
    """Executes the runs of an experiment that have not ended, look after look.

    Runs that are done or diverged are kept; an interrupted run resumes from its newest checkpoint;
    a failed one is tried again. A run that fails does not stop the others: the error is in its
    folder and in the table. If the experiment tunes settings, its tuning runs come first, and the
    final runs of a cell wait for all of the cell's. After each look the cells of open claims get
    more seeds (`looks`); an experiment with fixed seeds has one look. An interrupted grid resumes
    at the look it was at.

    Args:
      experiment: the experiment, loaded from its file.
      results: the folder in which the experiment's own folder is made.
      command: the command line that runs the experiment, for the report.
      observer: told of each event.
      only: the part of the grid to run (see `grid_filter`); by default all of it.
      executor: executes the runs (see `executors`), and is closed on return; by default in this
        process.
      budget: seconds; a look that would probably end later is not begun. The first one always is.
      tell: called with a line before tuning, for each cell that was tuned, and after each look.

    Returns:
      The experiment's folder of results.

    Raises:
      UserError: the grid cannot be expanded, a config is invalid, or a dataset is not prepared.
    """
    began, observer = time.monotonic(), observer or Observer()
    folder = Folder(Path(results) / experiment.results_name)
    seeds = looks.reached(folder, experiment)
    with executor or Here() as opened:

        def execute(runs: Sequence[Run], planned: Sequence[Run]) -> None:
            selected = [run for run in grid_filter.select(runs, only or {}) if is_tuned(run)]
            _refuse_unusable(experiment, selected, opened.here)
            write_plan(folder, experiment, planned, command)
            _execute(experiment, selected, folder, observer, opened)

        if experiment.tune:
            tell(f"tuning runs come first: they choose {' and '.join(experiment.tune)} by cell")
            execute(tuning_runs(experiment), planned=final_runs(experiment, folder, seeds))
            for cell in tuned_cells(experiment, folder):
                if all(cell.axes[axis] in values for axis, values in (only or {}).items()):
                    tell(tuning.told(cell))
        while True:
            runs = final_runs(experiment, folder, seeds)
            execute(runs, planned=runs)
            found = records.read(folder)
            more = looks.more_seeds(found)
            if not more:
                return folder
            left = budget - (time.monotonic() - began)
            needed = looks.seconds(found, more) / min(opened.slots, len(runs))
            if needed > left:
                tell(f"stopped: the next look would take about {duration(needed)}, over the budget")
                return folder
            tell(f"claims are open: {count(len(more), 'cell')} get {max(more.values())} seeds")
            seeds = {**seeds, **more}


def _execute(
    experiment: Experiment,
    runs: Sequence[Run],
    folder: Folder,
    observer: Observer,
    executor: Executor,
) -> None:
    """Executes those of the runs that have not ended."""
    waiting = missing(folder, runs)
    _warn_of_other_code(folder, [each for each in runs if each not in waiting], observer)
    observer.start_grid(len(runs), len(runs) - len(waiting))
    file, place = folder.experiment, folder.runs
    if not executor.here:  # a worker may have another working directory
        file, place = file.resolve(), place.resolve()
    tasks = [
        Task(each.config, place / each.name, file, experiment.scale)
        for each in spread(waiting, executor.slots)
    ]
    dispatch(tasks, executor, experiment.study, observer)


def _refuse_unusable(experiment: Experiment, runs: Sequence[Run], here: bool) -> None:
    """Raises before any run what would fail in every run of a cell: data, network, durations."""
    for run in runs:
        if grid.trains(run.config) and run.seed == runs[0].seed:  # seeds share their errors
            dataset = load_dataset(run.config)  # its errors name no cell: most grids have one
            with grid.errors_in_cell(experiment, run.axes):
                # Workers may have other devices.
                Session(run.config, None if here else mappings.single_device(), dataset)


def _warn_of_other_code(folder: Folder, done: Sequence[Run], observer: Observer) -> None:
    """Warns of finished runs of other code: a run's name depends on its config alone."""
    codes = {
        each.name: RunFolder(folder.runs / each.name).environment().get("code") for each in done
    }
    other = {
        name: found for name, ran in codes.items() if (found := differing((ran or {}, code())))
    }
    if other:
        files = sorted({file for found in other.values() for file in found})
        observer.warn(
            f"{count(len(other), 'finished run')} had other code ({listed(files)}) and will not be "
            f"run again; to run them again, remove {listed(list(other))} from {folder.runs}"
        )


def spread(runs: Sequence[Run], workers: float) -> list[Run]:
    """Orders runs so that neighbors are of different cells.

    Workers that start together then compile different programs, instead of each the same one.

    Args:
      runs: runs with the seeds of a cell side by side.
      workers: number of runs that are executed at a time.
    """
    if workers < 2 or math.isinf(workers):
        return list(runs)
    cells = [list(of_cell) for _, of_cell in itertools.groupby(runs, key=lambda run: run.axes)]
    blocks = (cells[at : at + int(workers)] for at in range(0, len(cells), int(workers)))
    rows = (row for block in blocks for row in itertools.zip_longest(*block))
    return [run for row in rows for run in row if run is not None]


def missing(folder: Folder, runs: Sequence[Run]) -> list[Run]:
    """Selects the runs of a grid that are still to be done, in the grid's order."""
    return [each for each in runs if not _ended(folder.runs / each.name)]


def _ended(path: Path) -> bool:
    try:
        result = RunFolder(path).result()
    except UserError:  # a corrupt result: the run is tried, and says what to do
        return False
    return result is not None and result.status != "failed"
