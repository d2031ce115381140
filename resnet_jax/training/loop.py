"""The loop: takes the step until the run is done, and keeps its records and checkpoints."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
from ml_collections import ConfigDict

from resnet_jax.data import Dataset, Split
from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training import durations, evaluation, probing, state
from resnet_jax.training.checkpoints import Checkpoints
from resnet_jax.training.compilation import compile_seconds
from resnet_jax.training.mapping import compiled_probed_step, compiled_train_step
from resnet_jax.training.meter import Meter, NonFiniteLossError
from resnet_jax.training.observer import Observer
from resnet_jax.training.run_folder import Result, RunFolder
from resnet_jax.training.state import TrainState


def train(config: ConfigDict, workdir: str | Path, observer: Observer | None = None) -> Result:
    """Trains one run to its end, from where its folder stands.

    A folder that holds a finished run is left as it is. One that was cut off goes on from its
    newest checkpoint and ends bitwise where it would have ended (on the same device).

    Args:
      config: the full config.
      workdir: the run's folder.
      observer: told of each event.

    Returns:
      The run's result. A loss that is not finite ends the run as `diverged`, without an exception.

    Raises:
      UserError: the config or the data cannot be used, or the folder holds another run.
    """
    configs.check(config)
    folder = RunFolder(workdir)
    folder.refuse_other(config)
    if (result := folder.result()) and result.status != "failed":
        return result
    return _Run(config, folder, observer or Observer()).to_the_end()


@dataclass(frozen=True)
class Plan:
    """When a run does what, in steps; 0 for only at the end."""

    total: int
    log: int
    evaluate: int
    checkpoint: int
    probe: tuple[int, ...] = ()
    probe_every: int = 0

    @staticmethod
    def of(config: ConfigDict, num_train: int) -> "Plan":
        """The plan of a config, its epochs turned into steps.

        Raises:
          UserError: a duration is given twice or not at all, or a probe comes after the end.
        """
        train, epoch = config.train, num_train / config.train.batch_size
        total = durations.total(train, epoch)
        if late := [step for step in config.probe.steps if not 0 <= step < total]:
            raise UserError(
                f"probe.steps = {tuple(config.probe.steps)}: {late[0]} is not among the steps from "
                f"0 to {total - 1} of the run"
            )
        return Plan(
            total=total,
            log=train.log_steps,
            evaluate=durations.steps(train, "eval", epoch),
            checkpoint=durations.steps(train, "checkpoint", epoch),
            probe=tuple(config.probe.steps),
            probe_every=config.probe.every,
        )

    def due(self, step: int, every: int) -> bool:
        """Whether something done every so many steps, and at the end, is due after a step."""
        return step == self.total or (every > 0 and step % every == 0)

    def probes(self, made: int) -> bool:
        """Whether the network is measured after so many updates."""
        return made in self.probe or (self.probe_every > 0 and made % self.probe_every == 0)


class _Run:
    """One run under way."""

    def __init__(self, config: ConfigDict, folder: RunFolder, observer: Observer):
        self.started = time.perf_counter()
        self.config, self.folder, self.observer = config, folder, observer
        self.dataset = state.load_dataset(config)
        self.plan = Plan.of(config, self.dataset.num_train)

    def to_the_end(self) -> Result:
        current = state.create(self.config, self.dataset)
        # Only now: a config that makes no run leaves no folder behind.
        self.folder.claim(self.config)
        with Checkpoints(self.folder.checkpoints, self.config.train.keep_checkpoints) as kept:
            if kept.latest() is not None:
                current = kept.restore(current)
            start = int(current.step)
            self.folder.rewind(start)
            self.observer.start_run(
                self.folder.path.name, start, self.plan.total, self.config.train.batch_size
            )
            try:
                current = self._advance(current, start, kept)
            except NonFiniteLossError as error:
                return self._finish("diverged", error.step, message=str(error))
            final = self._evaluate(current, "train") | self._evaluate(current, "test")
        if not all(map(math.isfinite, final.values())):
            message = "the loss is not finite in the evaluation after the last step"
            return self._finish("diverged", self.plan.total, message)
        return self._finish("done", self.plan.total, final=final)

    def _advance(self, current: TrainState, start: int, kept: Checkpoints) -> TrainState:
        """Takes every step that is left."""
        if 0 < start < self.plan.total and self.plan.due(start, self.plan.evaluate):
            self._evaluate(current, "test")  # cut off, it may be, after the checkpoint of this step
        self.meter = Meter(self.config.train.batch_size, self.dataset.num_train)
        for step, batch in self._batches(start):
            if self.plan.probes(step - 1):
                current, metrics = self._probed_step(current, batch, step - 1)
            else:
                current, metrics = compiled_train_step(current, batch)
            self.meter.add(metrics)
            self.observer.progress(step)
            saves = self.plan.due(step, self.plan.checkpoint)
            if saves or self.plan.due(step, self.plan.log):
                self._write(self.meter.record(step))
            if saves:
                kept.save(current, self.config)
            if step < self.plan.total and self.plan.due(step, self.plan.evaluate):
                began = time.perf_counter()
                self._evaluate(current, "test")
                self.meter.pause(time.perf_counter() - began - compile_seconds(began))
        return current

    def _probed_step(self, current: TrainState, batch: Any, made: int) -> tuple[TrainState, Any]:
        """Takes a step and writes what it measured, after so many updates `made`."""
        sites = tuple(self.config.probe.sites)
        current, metrics, measured = compiled_probed_step(current, batch, sites)
        for record in probing.records(measured, made):
            self.folder.append(record)
        return current, metrics

    def _batches(self, start: int) -> Iterator[tuple[int, Any]]:
        """The batches that are left, each with the number of its step, counted from 1."""
        if start < self.plan.total:
            steps = range(start + 1, self.plan.total + 1)
            yield from zip(steps, self.dataset.train_batches(start), strict=False)

    def _evaluate(self, current: TrainState, split: Split) -> dict[str, float]:
        found = evaluation.evaluate(current, self.dataset, split)
        self._write({"kind": "eval", "step": int(current.step), "split": split} | found)
        return {f"{split}_error": found["error"], f"{split}_loss": found["loss"]}

    def _write(self, record: dict[str, Any]) -> None:
        self.folder.append(record)
        self.observer.record(record)

    def _finish(
        self, status: str, step: int, message: str = "", final: dict[str, float] | None = None
    ) -> Result:
        total, compiling = time.perf_counter() - self.started, compile_seconds(self.started)
        seconds = {"compile": compiling, "train": total - compiling, "total": total}
        rounded = {name: round(value, 3) for name, value in seconds.items()}
        result = Result(status, message, step, rounded, final or {})
        self.folder.finish(result)
        self.observer.finish_run(self.folder.path.name, result)
        return result


def restore_run(workdir: str | Path) -> tuple[TrainState, Dataset]:
    """The newest checkpoint of a run, and its data set.

    Raises:
      UserError: there is no run or no checkpoint in the folder, or it cannot be read.
    """
    folder = RunFolder(workdir)
    config = folder.config()
    if not folder.checkpoints.exists():
        raise UserError(f"there is no checkpoint in {folder.path}")
    dataset = state.load_dataset(config)
    with Checkpoints(folder.checkpoints, config.train.keep_checkpoints) as kept:
        shapes = jax.eval_shape(lambda: state.create(config, dataset))
        return kept.restore(shapes), dataset


def evaluate_run(workdir: str | Path, split: Split = "test") -> dict[str, float]:
    """Evaluates a run's newest checkpoint over every example of a split.

    Returns:
      `step`, `loss` (nats), `error` (percent) and `examples`.

    Raises:
      UserError: there is no run or no checkpoint in the folder, or it cannot be read.
    """
    current, dataset = restore_run(workdir)
    return {"step": int(current.step)} | evaluation.evaluate(current, dataset, split)
