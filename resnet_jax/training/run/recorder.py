"""What a run writes while it trains: records, checkpoints and its result."""

import math
import time
from typing import Any

from resnet_jax.data import Split
from resnet_jax.probes import Measurement
from resnet_jax.training.run.checkpoints import Checkpoints, Progress
from resnet_jax.training.run.compilation import compile_seconds
from resnet_jax.training.run.meter import Meter, NonFiniteLossError
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.run_folder import Record, Result, RunFolder
from resnet_jax.training.run.session import Session
from resnet_jax.training.step.state import TrainState
from resnet_jax.training.step.step import Metrics

SPLITS: tuple[Split, ...] = ("train", "test")
FINAL = ("error", "loss", "ema_error", "ema_loss")  # of an evaluation, in the result


class Recorder:
    """Writes a run's records, checkpoints and result, and tells its observer of them."""

    def __init__(
        self,
        session: Session,
        folder: RunFolder,
        observer: Observer,
        checkpoints: Checkpoints,
        earlier: Progress,
        began: float,
    ):
        """Prepares to record.

        Args:
          session: the run.
          folder: the run's folder.
          observer: told of each event.
          checkpoints: the folder's checkpoints.
          earlier: what earlier processes of the run left unfinished.
          began: reading of `time.perf_counter()` when this process began the run.
        """
        self._session, self._folder, self._observer = session, folder, observer
        self._checkpoints, self._earlier, self._began = checkpoints, earlier, began

    def start(self, state: TrainState) -> int:
        """Starts or resumes the records at a state; returns its number of updates."""
        start, config = self._session.mapping.step_of(state), self._session.config
        total, batch_size = self._session.plan.total, config.train.batch_size
        self._folder.rewind(start)
        self._observer.start_run(self._folder.path.name, start, total, batch_size)
        self._meter = Meter(batch_size, self._session.dataset.num_train, self._earlier.pending)
        return start

    def step(self, metrics: Metrics, step: int) -> None:
        """Takes the metrics of a step; nothing waits for the device to compute them."""
        self._meter.add(metrics)
        self._observer.progress(step)

    def log(self, step: int) -> None:
        """Writes a record of the steps since the last one.

        Raises:
          NonFiniteLossError: the loss of one of them is not finite.
        """
        self._write(self._meter.record(step))

    def probe(self, measured: Measurement, step: int) -> None:
        """Writes what was measured before the update of a step."""
        for record in probe_records(measured, step - 1):
            self._folder.append(record)

    def save(self, state: TrainState, step: int) -> None:
        """Saves a checkpoint, in the background.

        Raises:
          NonFiniteLossError: a loss since the last record is not finite; nothing is saved.
          UserError: it cannot be written.
        """
        mapping, (compiling, total) = self._session.mapping, self._seconds()
        pending = self._meter.pending(step)
        progress = Progress(pending, compiling, total, mapping.replicas)
        self._checkpoints.save(mapping.collect(state), self._session.config, progress)

    def evaluate(self, state: TrainState, step: int, split: Split) -> dict[str, float]:
        """Evaluates a state and writes the record; its time does not count as that of steps."""
        began = time.perf_counter()
        found = self._session.evaluate(state, split)
        self._write({"kind": "eval", "step": step, "split": split} | found)
        self._meter.pause(time.perf_counter() - began - compile_seconds(began))
        return found

    def finish(self, state: TrainState) -> Result:
        """Evaluates the last state on both splits, and writes the result of the run."""
        total, final = self._session.plan.total, dict[str, float]()
        for split in SPLITS:
            found = self.evaluate(state, total, split)
            final |= {f"{split}_{name}": value for name, value in found.items() if name in FINAL}
        if not all(math.isfinite(value) for name, value in final.items() if "ema" not in name):
            message = "the loss is not finite in the evaluation after the last step"
            return self._result("diverged", total, message)
        return self._result("done", total, final=final)

    def finish_diverged(self, error: NonFiniteLossError) -> Result:
        """Writes the result of a run whose loss is not finite."""
        command = f"resnet-jax train --workdir {self._folder.path} --replay {error.step}"
        return self._result("diverged", error.step, f"{error}; to examine that step: `{command}`")

    def _result(
        self, status: str, step: int, message: str = "", final: dict[str, float] | None = None
    ) -> Result:
        compiling, total = self._seconds()
        seconds = {"compile": compiling, "train": total - compiling, "total": total}
        rounded = {name: round(value, 3) for name, value in seconds.items()}
        result = self._folder.finish(Result(status, message, step, rounded, final or {}))
        self._observer.finish_run(self._folder.path.name, result)
        return result

    def _seconds(self) -> tuple[float, float]:
        """Seconds of compilation and in total, of this process and the earlier ones."""
        compiling = self._earlier.compile + compile_seconds(self._began)
        return compiling, self._earlier.total + time.perf_counter() - self._began

    def _write(self, record: Record) -> None:
        self._folder.append(record)
        self._observer.record(record)


def probe_records(measured: Measurement, updates: int) -> list[Record]:
    """A measurement after a number of updates as records of a run.

    The `kind` of a site becomes `of`, since that of the record is `probe`.
    """
    head: dict[str, Any] = {"kind": "probe", "step": updates}
    return [head | {"of": each.pop("kind")} | each for each in measured.records()]
