"""Observers: objects that are told of the events of runs, to show progress or keep warnings."""

from pathlib import Path
from types import TracebackType
from typing import Any

from resnet_jax.errors import UserError
from resnet_jax.training.run.run_folder import Record, Result


class Observer:
    """An observer that ignores all events; subclasses override those that they need."""

    def start_grid(self, runs: int, done: int) -> None:
        """An experiment of `runs` runs starts, of which `done` are finished."""

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        """A run of `total` steps starts, or resumes from `step`."""

    def record(self, record: Record) -> None:
        """The current run has written a record."""

    def warn(self, message: str) -> None:
        """Something is wrong that does not stop the run."""

    def progress(self, step: int) -> None:
        """The current run has made `step` updates."""

    def finish_run(self, name: str, result: Result) -> None:
        """The current run has ended."""


class Observers(Observer):
    """Passes all events on to several observers."""

    def __init__(self, *observers: Observer):
        self._observers = observers

    def start_grid(self, runs: int, done: int) -> None:
        for each in self._observers:
            each.start_grid(runs, done)

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        for each in self._observers:
            each.start_run(name, step, total, batch_size)

    def record(self, record: Record) -> None:
        for each in self._observers:
            each.record(record)

    def warn(self, message: str) -> None:
        for each in self._observers:
            each.warn(message)

    def progress(self, step: int) -> None:
        for each in self._observers:
            each.progress(step)

    def finish_run(self, name: str, result: Result) -> None:
        for each in self._observers:
            each.finish_run(name, result)


TENSORBOARD_SCALARS = (
    "loss",
    "error",
    "ema_loss",
    "ema_error",
    "gradient_norm",
    "learning_rate",
    "images_per_second",
    "memory",
)


class TensorBoard(Observer):
    """Writes the numbers of each record as scalars; to be used in a `with` block."""

    def __init__(self, folder: Path):
        """Prepares to write.

        Args:
          folder: folder of the event files; created when the run starts.

        Raises:
          UserError: tensorboardX is not installed.
        """
        try:
            import tensorboardX
        except ImportError as error:
            raise UserError(
                "--tensorboard needs tensorboardX: pip install 'resnet_jax[tensorboard]'"
            ) from error
        self._package, self._folder = tensorboardX, folder
        self._writer: Any = None

    def __enter__(self) -> "TensorBoard":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._writer:
            self._writer.close()

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        """Opens the event file, and hides what an earlier process wrote after `step`."""
        self._writer = self._package.SummaryWriter(
            str(self._folder), purge_step=step + 1 if step else None
        )

    def record(self, record: Record) -> None:
        """Adds a record: `step/loss` of batches, `train/error` and `test/error` of evaluations."""
        if record["kind"] not in ("train", "eval") or self._writer is None:
            return
        head = record["split"] if record["kind"] == "eval" else "step"
        for name in TENSORBOARD_SCALARS:
            if record.get(name) is not None:
                self._writer.add_scalar(f"{head}/{name}", record[name], record["step"])
