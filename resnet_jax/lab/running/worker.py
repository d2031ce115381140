"""One run of an experiment, as a worker executes it.

A run is sent to a worker as plain data: its config, its folder, and the path and scale of its
experiment. Functions in an experiment's file cannot be pickled, since the file is not an
importable module, so the worker loads the file itself.
"""

import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import jax
from ml_collections import ConfigDict

from resnet_jax.errors import one_line
from resnet_jax.lab.design import experiment as experiments
from resnet_jax.lab.design.study import Study
from resnet_jax.training.run.compilation import compile_seconds, use_cache
from resnet_jax.training.run.loop import train
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.run_folder import InUseError, Result, RunFolder

CONFIGS_KEPT = 8  # whose compiled programs stay in memory, at about 50 MB each
_compiled: set[str] = set()


@dataclass(frozen=True)
class Task:
    """One run, as it is sent to a worker.

    Attributes:
      config: the run's full config.
      folder: the run's folder, which has to have the same path on the worker.
      experiment: the experiment's file.
      scale: the experiment's scale.
    """

    config: ConfigDict
    folder: Path
    experiment: Path
    scale: str


@dataclass(frozen=True)
class TaskResult:
    """The result of a run on a worker.

    Attributes:
      result: how the run ended; None if it was stopped, or if another process works on it.
      warnings: warnings of the run, for the user.
    """

    result: Result | None
    warnings: tuple[str, ...] = ()


class _Warnings(Observer):
    """Collects the warnings: a worker prints nothing."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def warn(self, message: str) -> None:
        self.messages.append(message)


def work(task: Task) -> TaskResult:
    """Executes a run in a worker's process.

    Returns:
      Its result. A run that is told to stop saves a checkpoint and has no result.

    Raises:
      UserError: the experiment's file cannot be loaded.
    """
    use_cache()
    study = experiments.load(task.experiment).at_scale(task.scale).study
    warnings = _Warnings()
    try:
        result = perform(task.config, study, task.folder, warnings)
    except KeyboardInterrupt:
        result = None
    return TaskResult(result, tuple(warnings.messages))


def perform(
    config: ConfigDict, study: Study | None, path: Path, observer: Observer
) -> Result | None:
    """Executes one run; an exception is written into its folder as its result.

    Args:
      config: the run's full config.
      study: what the run computes instead of training; None to train.
      path: the run's folder.
      observer: told of each event.

    Returns:
      How it ended; None if another process works on it.

    Raises:
      Interrupted: the process was told to stop, and the run has saved a checkpoint.
    """
    _limit_compiled_programs(config)
    try:
        return _run_study(config, study, path, observer) if study else train(config, path, observer)
    except InUseError as error:
        observer.warn(f"{error}; skipped")
        return None
    except Exception as error:  # of any kind: the other runs go on
        result = fail(path, one_line(error), "".join(traceback.format_exception(error)))
        observer.finish_run(path.name, result)
        return result


def _limit_compiled_programs(config: ConfigDict) -> None:
    """Clears JAX's caches after a few configs: the programs of a whole grid are gigabytes."""
    _compiled.add(str({**config.to_dict(), "seed": None}))
    if len(_compiled) > CONFIGS_KEPT:
        jax.clear_caches()
        _compiled.clear()


def fail(path: Path, message: str, details: str) -> Result:
    """Writes into a run's folder that it failed.

    Args:
      path: the folder, which is made if necessary.
      message: one line, for result.json.
      details: the traceback, for error.txt.
    """
    path.mkdir(parents=True, exist_ok=True)
    (path / "error.txt").write_text(details)
    return RunFolder(path).finish(Result("failed", message, step=0))


def _run_study(config: ConfigDict, study: Study, path: Path, observer: Observer) -> Result:
    began = time.perf_counter()
    folder = RunFolder(path)
    folder.claim(config)
    observer.start_run(path.name, 0, 1, 1)
    found = study.measure(config, path)
    folder.rewind(-1)  # drops the records of an earlier attempt that did not end
    for record in found.records:
        folder.append(record)
    observer.progress(1)
    total, compiling = time.perf_counter() - began, compile_seconds(began)
    seconds = {"compile": compiling, "train": total - compiling, "total": total}
    result = folder.finish(Result("done", "", 0, seconds, found.final))
    observer.finish_run(path.name, result)
    return result
