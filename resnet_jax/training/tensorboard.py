"""Records of a run for TensorBoard, without TensorFlow."""

from pathlib import Path
from types import TracebackType

from resnet_jax.errors import UserError
from resnet_jax.training.observer import Observer
from resnet_jax.training.run_folder import Record

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
    """Writes each record's numbers as scalars, to be used in a `with` block."""

    def __init__(self, folder: Path):
        """Opens a folder of events.

        Raises:
          UserError: the package that writes them is not installed.
        """
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise UserError(
                "--tensorboard needs tensorboardX: pip install 'resnet_jax[tensorboard]'"
            ) from error
        self._writer = SummaryWriter(str(folder))

    def __enter__(self) -> "TensorBoard":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Writes what is left."""
        self._writer.close()

    def record(self, record: Record) -> None:
        """Adds a record: `step/loss` of batches, `train/error` and `test/error` of evaluations."""
        if record["kind"] not in ("train", "eval"):
            return
        head = record["split"] if record["kind"] == "eval" else "step"
        for name in QUANTITIES:
            if record.get(name) is not None:
                self._writer.add_scalar(f"{head}/{name}", record[name], record["step"])
