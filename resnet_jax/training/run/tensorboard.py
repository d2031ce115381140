"""A run's records for TensorBoard, without TensorFlow."""

from pathlib import Path
from types import TracebackType
from typing import Any

from resnet_jax.errors import UserError
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.run_folder import Record

QUANTITIES = (
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
        for name in QUANTITIES:
            if record.get(name) is not None:
                self._writer.add_scalar(f"{head}/{name}", record[name], record["step"])
