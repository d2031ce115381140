"""The engine: runs what is missing of an experiment's grid, one run after another."""

import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from ml_collections import ConfigDict

from resnet_jax.errors import UserError
from resnet_jax.lab import grid, pieces
from resnet_jax.lab.experiment import Experiment
from resnet_jax.lab.folder import Folder, write_plan
from resnet_jax.lab.grid import Run
from resnet_jax.lab.pieces import Only
from resnet_jax.lab.study import Study
from resnet_jax.training import mapping as mappings
from resnet_jax.training import schedule
from resnet_jax.training.compilation import compile_seconds
from resnet_jax.training.loop import Plan, train
from resnet_jax.training.observer import Observer
from resnet_jax.training.run_folder import InUseError, Result, RunFolder
from resnet_jax.training.state import build_model, load_dataset


def run(
    experiment: Experiment,
    results: str | Path,
    command: str,
    observer: Observer | None = None,
    only: Only | None = None,
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
      only: the piece of the grid to run this time (see `pieces`); by default all of it.

    Returns:
      The experiment's folder.

    Raises:
      UserError: the grid cannot be made of the base config, a network or a schedule of it does
        not exist, or its data are not prepared.
    """
    observer = observer or Observer()
    runs = grid.expand(experiment)
    chosen = pieces.keep(runs, only or {})
    for each in chosen:
        if grid.trains(each.config) and each.seed == runs[0].seed:
            _refuse_unusable(each.config)
    folder = Folder(Path(results) / experiment.results_name)
    write_plan(folder, experiment, runs, command)
    waiting = missing(folder, chosen)
    observer.start_grid(len(chosen), len(chosen) - len(waiting))
    for each in waiting:
        _run_one(each, experiment.study, folder.runs / each.name, observer)
    return folder


def _refuse_unusable(config: ConfigDict) -> None:
    """Finds before any run what would fail in all of a cell's: network, data, durations."""
    dataset = load_dataset(config)
    build_model(config, dataset.num_classes)
    Plan.of(config, dataset.num_train)
    mappings.of(config)
    schedule.from_config(config, dataset.num_train / config.train.batch_size)


def missing(folder: Folder, runs: Sequence[Run]) -> list[Run]:
    """The runs of a grid that are still to be done, in its order."""
    return [each for each in runs if not _ended(folder.runs / each.name)]


def _ended(path: Path) -> bool:
    try:
        result = RunFolder(path).result()
    except UserError:  # a damaged result: the run is tried, and says what to do
        return False
    return result is not None and result.status != "failed"


def _run_one(run: Run, study: Study | None, path: Path, observer: Observer) -> None:
    try:
        if study:
            _measure(run, study, path, observer)
        else:
            train(run.config, path, observer)
    except InUseError as error:
        observer.warn(f"{error}; left to it")
    except Exception as error:  # whatever it was, the other runs go on
        message = str(error) if isinstance(error, UserError) else _last_line(error)
        path.mkdir(parents=True, exist_ok=True)
        (path / "error.txt").write_text("".join(traceback.format_exception(error)))
        failed = RunFolder(path).finish(Result("failed", message, step=0))
        observer.finish_run(path.name, failed)


def _measure(run: Run, study: Study, path: Path, observer: Observer) -> None:
    began = time.perf_counter()
    folder = RunFolder(path)
    folder.claim(run.config)
    observer.start_run(path.name, 0, 1, 1)
    found = study.measure(run.config, path)
    folder.rewind(-1)  # records of an earlier process that did not come to its end
    for record in found.records:
        folder.append(record)
    observer.progress(1)
    total, compiling = time.perf_counter() - began, compile_seconds(began)
    seconds = {"compile": compiling, "train": total - compiling, "total": total}
    observer.finish_run(path.name, folder.finish(Result("done", "", 0, seconds, found.final)))


def _last_line(error: Exception) -> str:
    return traceback.format_exception_only(error)[-1].splitlines()[0]
