"""The engine: runs what is missing of an experiment's grid, here or on workers."""

from collections.abc import Sequence
from pathlib import Path

from resnet_jax.errors import UserError
from resnet_jax.lab.design import grid, grid_filter
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.grid import Run
from resnet_jax.lab.design.grid_filter import GridFilter
from resnet_jax.lab.formatting import count, listed
from resnet_jax.lab.results.folder import Folder, write_plan
from resnet_jax.lab.running.dispatch import dispatch
from resnet_jax.lab.running.executors import Executor, Here
from resnet_jax.lab.running.worker import Task
from resnet_jax.training.devices import mapping as mappings
from resnet_jax.training.run.environment import code, differing
from resnet_jax.training.run.loop import Plan
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.run_folder import RunFolder
from resnet_jax.training.step import schedule
from resnet_jax.training.step.state import build_model, load_dataset


def run(
    experiment: Experiment,
    results: str | Path,
    command: str,
    observer: Observer | None = None,
    only: GridFilter | None = None,
    executor: Executor | None = None,
) -> Folder:
    """Runs every run of an experiment that is not done.

    Runs that ended, those that diverged among them, are left as they are; one that was cut off
    goes on from its newest checkpoint; one that failed is tried again. A run that fails does not
    stop the others: what went wrong is in its folder and in the table.

    Args:
      experiment: as read from its file.
      results: folder in which the experiment's own folder is made.
      command: what to type to do this again, for the report.
      observer: told of each event.
      only: the piece of the grid to run this time (see `grid_filter`); by default all of it.
      executor: where runs are done (see `executors`); by default in this process.

    Returns:
      The experiment's folder.

    Raises:
      UserError: the grid cannot be made of the base config, a network or a schedule of it does
        not exist, or its data are not prepared.
    """
    observer, executor = observer or Observer(), executor or Here()
    runs = grid.expand(experiment)
    chosen = grid_filter.select(runs, only or {})
    for each in chosen:
        if grid.trains(each.config) and each.seed == runs[0].seed:
            _refuse_unusable(experiment, each, executor.here)
    folder = Folder(Path(results) / experiment.results_name)
    write_plan(folder, experiment, runs, command)
    waiting = missing(folder, chosen)
    _warn_of_other_code(folder, [each for each in chosen if each not in waiting], observer)
    observer.start_grid(len(chosen), len(chosen) - len(waiting))
    file, place = folder.experiment, folder.runs
    if not executor.here:  # a worker may stand in another folder
        file, place = file.resolve(), place.resolve()
    tasks = [Task(each.config, place / each.name, file, experiment.scale) for each in waiting]
    dispatch(tasks, executor, experiment.study, observer)
    return folder


def _refuse_unusable(experiment: Experiment, run: Run, here: bool) -> None:
    """Finds before any run what would fail in all of a cell's: network, data, durations."""
    config = run.config
    dataset = load_dataset(config)  # as a rule that of all cells, so that none is named
    with grid.errors_in_cell(experiment, run.axes):
        build_model(config, dataset.num_classes)
        Plan.of(config, dataset.num_train)
        if here:  # workers may have other devices
            mappings.of(config)
        schedule.from_config(config, dataset.num_train / config.train.batch_size)


def _warn_of_other_code(folder: Folder, done: Sequence[Run], observer: Observer) -> None:
    """A run is named by its config alone: what is done stays, though the code may be another."""
    codes = {
        each.name: RunFolder(folder.runs / each.name).environment().get("code") for each in done
    }
    other = {
        name: found for name, ran in codes.items() if (found := differing((ran or {}, code())))
    }
    if other:
        files = sorted({file for found in other.values() for file in found})
        observer.warn(
            f"{count(len(other), 'finished run')} had other code ({listed(files)}), and will not "
            f"be done again: to have that, remove from {folder.runs} {listed(list(other))}"
        )


def missing(folder: Folder, runs: Sequence[Run]) -> list[Run]:
    """The runs of a grid that are still to be done, in its order."""
    return [each for each in runs if not _ended(folder.runs / each.name)]


def _ended(path: Path) -> bool:
    try:
        result = RunFolder(path).result()
    except UserError:  # a damaged result: the run is tried, and says what to do
        return False
    return result is not None and result.status != "failed"
