"""What a worker does: one run of an experiment.

A run goes to a worker as plain data: its config, its folder, and where its experiment stands in a
file. The functions of an experiment's file belong to no module that can be imported, and so do
not pickle; a worker reads the file for itself.
"""

import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import jax
from ml_collections import ConfigDict

from resnet_jax.errors import UserError
from resnet_jax.lab.design import experiment as experiments
from resnet_jax.lab.design.study import Study
from resnet_jax.training.run.compilation import compile_seconds, use_cache
from resnet_jax.training.run.loop import train
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.run_folder import InUseError, Result, RunFolder

CONFIGS_KEPT = 8  # whose compiled programs stay in memory; those of one are some 50 MB
_compiled: set[str] = set()


@dataclass(frozen=True)
class Task:
    """One run, as it is sent to a worker.

    Attributes:
      config: the run's full config.
      folder: the run's folder, which the worker has to see under the same path.
      experiment: the experiment's file.
      scale: at which of its scales.
    """

    config: ConfigDict
    folder: Path
    experiment: Path
    scale: str


@dataclass(frozen=True)
class Outcome:
    """What became of a run in a worker.

    Attributes:
      result: how it ended; None if it was told to stop, or left to another process.
      warnings: what is amiss, for a person.
    """

    result: Result | None
    warnings: tuple[str, ...] = ()


class _Notes(Observer):
    """Keeps the warnings: a worker prints nothing."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        """Keeps it."""
        self.warnings.append(message)


def work(task: Task) -> Outcome:
    """Does a run in this process, which is a worker's.

    Returns:
      What became of it. A run that is told to stop saves, and comes back without a result.

    Raises:
      UserError: the experiment's file cannot be read.
    """
    use_cache()
    study = experiments.load(task.experiment).at_scale(task.scale).study
    notes = _Notes()
    try:
        result = perform(task.config, study, task.folder, notes)
    except KeyboardInterrupt:
        result = None
    return Outcome(result, tuple(notes.warnings))


def perform(
    config: ConfigDict, study: Study | None, path: Path, observer: Observer
) -> Result | None:
    """Does one run to its end; whatever goes wrong with it is written into its folder.

    Args:
      config: the run's full config.
      study: what it measures in place of training; None to train.
      path: its folder.
      observer: told of each event.

    Returns:
      How it ended; None if another process works on it.

    Raises:
      Interrupted: the process was told to stop, and everything is saved.
    """
    _keep_few_programs(config)
    try:
        return _measure(config, study, path, observer) if study else train(config, path, observer)
    except InUseError as error:
        observer.warn(f"{error}; left to it")
        return None
    except Exception as error:  # whatever it was, the other runs go on
        message = str(error) if isinstance(error, UserError) else last_line(error)
        result = fail(path, message, "".join(traceback.format_exception(error)))
        observer.finish_run(path.name, result)
        return result


def _keep_few_programs(config: ConfigDict) -> None:
    """Has JAX forget what it compiled, once that is of many configs: of a grid it is gigabytes."""
    _compiled.add(str({**config.to_dict(), "seed": None}))
    if len(_compiled) > CONFIGS_KEPT:
        jax.clear_caches()
        _compiled.clear()


def fail(path: Path, message: str, details: str) -> Result:
    """Writes into a run's folder that it failed.

    Args:
      path: the folder, which is made if need be.
      message: what happened, in a line.
      details: the same at length, for `error.txt`.
    """
    path.mkdir(parents=True, exist_ok=True)
    (path / "error.txt").write_text(details)
    return RunFolder(path).finish(Result("failed", message, step=0))


def last_line(error: BaseException) -> str:
    """An exception in a line: its type and the beginning of its message.

    What others noted on it is left out: JAX notes there that it has cut the traceback.
    """
    message = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _measure(config: ConfigDict, study: Study, path: Path, observer: Observer) -> Result:
    began = time.perf_counter()
    folder = RunFolder(path)
    folder.claim(config)
    observer.start_run(path.name, 0, 1, 1)
    found = study.measure(config, path)
    folder.rewind(-1)  # records of an earlier process that did not come to its end
    for record in found.records:
        folder.append(record)
    observer.progress(1)
    total, compiling = time.perf_counter() - began, compile_seconds(began)
    seconds = {"compile": compiling, "train": total - compiling, "total": total}
    result = folder.finish(Result("done", "", 0, seconds, found.final))
    observer.finish_run(path.name, result)
    return result
