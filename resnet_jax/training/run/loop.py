"""The loop: takes the step until the run is done, and keeps its records and checkpoints."""

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
from ml_collections import ConfigDict

from resnet_jax.data import Dataset, Split
from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.config import durations
from resnet_jax.training.devices import determinism, distributed
from resnet_jax.training.devices import mapping as mappings
from resnet_jax.training.run import evaluation, probing
from resnet_jax.training.run.checkpoints import Checkpoints, Progress
from resnet_jax.training.run.compilation import compile_seconds
from resnet_jax.training.run.interruption import Interrupted, Signals
from resnet_jax.training.run.meter import Meter, NonFiniteLossError
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.profiler import Profiler
from resnet_jax.training.run.run_folder import ReadOnlyFolder, Result, RunFolder
from resnet_jax.training.step import precision, schedule, state
from resnet_jax.training.step.state import TrainState

SPLITS: tuple[Split, ...] = ("train", "test")
SHOWN = ("error", "loss", "ema_error", "ema_loss")  # of an evaluation, in the result


def train(
    config: ConfigDict,
    workdir: str | Path,
    observer: Observer | None = None,
    profile: range = range(0),
) -> Result:
    """Trains one run to its end, from where its folder stands.

    A folder that holds a finished run is left as it is. One that was cut off goes on from its
    newest checkpoint and ends bitwise where it would have ended (on the same device).

    Args:
      config: the full config.
      workdir: the run's folder.
      observer: told of each event.
      profile: steps, counted from 1, of which a trace is written to the folder's `profile`.

    Returns:
      The run's result. A loss that is not finite ends the run as `diverged`, without an exception.

    Raises:
      UserError: the config or the data cannot be used, the folder holds another run or is in use,
        something cannot be written, or no checkpoint can be read.
      Interrupted: the process was told to stop, and everything is saved.
    """
    configs.check(config)
    if config.train.deterministic:
        determinism.check()
    folder = RunFolder(workdir) if distributed.speaks() else ReadOnlyFolder(workdir)
    folder.refuse_other(config)
    if (result := folder.result()) and result.status != "failed":
        return result
    with precision.of(config):
        return _Run(config, folder, observer or Observer(), profile).to_the_end()


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

    def __init__(self, config: ConfigDict, folder: RunFolder, observer: Observer, profile: range):
        self.started = time.perf_counter()
        self.before = Progress()  # of earlier processes
        self.config, self.folder, self.profile = config, folder, profile
        self.observer = observer
        self.mapping = mappings.of(config)
        self.dataset = mappings.dataset(config, self.mapping)
        self.plan = Plan.of(config, self.dataset.num_train)

    def to_the_end(self) -> Result:
        # First: a config that makes no run leaves no folder behind.
        state.build_model(self.config, self.dataset.num_classes)
        schedule.from_config(self.config, self.dataset.num_train / self.config.train.batch_size)
        fresh = not self.folder.checkpoints.exists()
        keep = self.config.train.keep_checkpoints
        with ExitStack() as stack:
            self._begin(stack)
            kept = stack.enter_context(Checkpoints(self.folder.checkpoints, keep, self.observer))
            # Nothing else refers to the state, whose place on the devices the next one takes.
            return self._from(self._fresh() if fresh else self._restored(kept), kept)

    def _begin(self, stack: ExitStack) -> None:
        """Takes the folder, which the first process does for all."""
        failure = None
        try:
            stack.enter_context(self.folder.locked(self.observer.warn))
            self.folder.refuse_other(self.config)
            self.folder.claim(self.config)
        except (UserError, OSError) as error:
            failure = error
        if not distributed.agree(failure is None):
            raise failure or UserError("the first process could not begin: see what it said")

    def _fresh(self) -> TrainState:
        return self.mapping.place(state.create(self.config, self.dataset))

    def _restored(self, kept: Checkpoints) -> TrainState:
        shapes = jax.eval_shape(lambda: state.create(self.config, self.dataset))
        found = kept.restore(self.mapping.everywhere_like(shapes))
        if found is None:
            return self._fresh()
        whole, self.before = found
        if self.before.replicas != self._replicas:
            raise UserError(
                f"{self.folder.path} was trained with batch statistics of {self.before.replicas} "
                f"devices of their own, and here there are {self._replicas}: the run would become "
                "another; set devices.count, or train anew in another folder"
            )
        return self.mapping.place(whole)

    @property
    def _replicas(self) -> int:
        return 0 if self.mapping.sync else len(self.mapping.devices)

    def _from(self, current: TrainState, kept: Checkpoints) -> Result:
        start = self.mapping.step_of(current)
        self.folder.rewind(start)
        self.observer.start_run(
            self.folder.path.name, start, self.plan.total, self.config.train.batch_size
        )
        try:
            current = self._advance(current, start, kept)
        except NonFiniteLossError as error:
            look = f"look into it with `resnet-jax train --workdir {self.folder.path} --replay"
            return self._finish("diverged", error.step, f"{error}; {look} {error.step}`")
        final = self._final(current)
        if not all(math.isfinite(value) for name, value in final.items() if "ema" not in name):
            message = "the loss is not finite in the evaluation after the last step"
            return self._finish("diverged", self.plan.total, message)
        return self._finish("done", self.plan.total, final=final)

    def _advance(self, current: TrainState, start: int, kept: Checkpoints) -> TrainState:
        """Takes every step that is left."""
        if 0 < start < self.plan.total and self.plan.due(start, self.plan.evaluate):
            self._evaluate(current, start, "test")  # cut off, it may be, after its checkpoint
        self.meter = Meter(
            self.config.train.batch_size, self.dataset.num_train, self.before.pending
        )
        with Signals() as signals, Profiler(self.folder.path, self.profile) as profiler:
            for step, batch in self._batches(start):
                profiler.before(step)
                current, metrics = self._step(current, batch, step)
                profiler.after(step, metrics)
                self.meter.add(metrics)
                self.observer.progress(step)
                if self.plan.due(step, self.plan.log):
                    self._write(self.meter.record(step))
                if self.plan.due(step, self.plan.checkpoint):
                    self._save(current, step, kept)
                if (number := signals.after(step)) is not None:
                    self._save(current, step, kept)
                    kept.wait()  # before it is said that all is saved
                    raise Interrupted(step, number)
                if step < self.plan.total and self.plan.due(step, self.plan.evaluate):
                    began = time.perf_counter()
                    self._evaluate(current, step, "test")
                    self.meter.pause(time.perf_counter() - began - compile_seconds(began))
        return current

    def _step(self, current: TrainState, batch: Any, step: int) -> tuple[TrainState, Any]:
        """Takes a step, and writes what it measured if it is one that does."""
        if not self.plan.probes(step - 1):
            return self.mapping.train_step(current, batch)
        sites = tuple(self.config.probe.sites)
        current, metrics, measured = self.mapping.probed_step(current, batch, sites)
        for record in probing.records(measured, step - 1):
            self.folder.append(record)
        return current, metrics

    def _save(self, current: TrainState, step: int, kept: Checkpoints) -> None:
        compiling, total = self._seconds()
        pending = self.meter.pending(step)  # before anything is saved: a loss may not be finite
        progress = Progress(pending, compiling, total, self._replicas)
        kept.save(self.mapping.collect(current), self.config, progress)

    def _batches(self, start: int) -> Iterator[tuple[int, Any]]:
        """The batches that are left, each with the number of its step, counted from 1."""
        if start < self.plan.total:
            steps = range(start + 1, self.plan.total + 1)
            batches = map(self.mapping.batch, self.dataset.train_batches(start))
            yield from zip(steps, batches, strict=False)

    def _evaluate(self, current: TrainState, step: int, split: Split) -> dict[str, float]:
        found = evaluation.evaluate(current, self.dataset, split, self.mapping)
        self._write({"kind": "eval", "step": step, "split": split} | found)
        return found

    def _final(self, current: TrainState) -> dict[str, float]:
        final: dict[str, float] = {}
        for split in SPLITS:
            found = self._evaluate(current, self.plan.total, split)
            final |= {f"{split}_{name}": value for name, value in found.items() if name in SHOWN}
        return final

    def _write(self, record: dict[str, Any]) -> None:
        self.folder.append(record)
        self.observer.record(record)

    def _seconds(self) -> tuple[float, float]:
        """Seconds of compiling and in all, of this process and of those before it."""
        compiling = self.before.compile + compile_seconds(self.started)
        return compiling, self.before.total + time.perf_counter() - self.started

    def _finish(
        self, status: str, step: int, message: str = "", final: dict[str, float] | None = None
    ) -> Result:
        compiling, total = self._seconds()
        seconds = {"compile": compiling, "train": total - compiling, "total": total}
        rounded = {name: round(value, 3) for name, value in seconds.items()}
        result = self.folder.finish(Result(status, message, step, rounded, final or {}))
        self.observer.finish_run(self.folder.path.name, result)
        return result


def restore_run(workdir: str | Path) -> tuple[TrainState, Dataset]:
    """The newest checkpoint of a run that is whole, and its data set, on one device.

    A run in float64 is to be restored, and used, inside of `precision.of(config)`.

    Raises:
      UserError: there is no run or no checkpoint in the folder, or none can be read.
    """
    folder = RunFolder(workdir)
    config = folder.config()
    if not folder.checkpoints.exists():
        raise UserError(f"there is no checkpoint in {folder.path}")
    dataset = state.load_dataset(config)
    shapes = jax.eval_shape(lambda: state.create(config, dataset))
    with Checkpoints(folder.checkpoints, read_only=True) as kept:
        found = kept.restore(mappings.single().everywhere_like(shapes))
    if found is None:
        raise UserError(f"there is no checkpoint in {folder.path}")
    return found[0], dataset


def evaluate_run(workdir: str | Path, split: Split = "test") -> dict[str, float]:
    """Evaluates a run's newest checkpoint over every example of a split, on one device.

    Returns:
      `step`, `loss` (the one that is trained on), `error` (percent) and `examples`; with
      averaged weights, also `ema_loss` and `ema_error`.

    Raises:
      UserError: there is no run or no checkpoint in the folder, or none can be read.
    """
    with precision.of(RunFolder(workdir).config()):
        current, dataset = restore_run(workdir)
        mapping = mappings.single()
        step = int(current.step)
        found = evaluation.evaluate(mapping.place(current), dataset, split, mapping)
    return {"step": step} | found
