"""Checkpoints: the whole state and the config, by step, written by Orbax."""

import logging
from pathlib import Path
from types import TracebackType

import jax
import orbax.checkpoint as ocp
from ml_collections import ConfigDict

from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.state import TrainState


class Checkpoints:
    """The checkpoints of one run, newest last.

    Writing goes on in the background while the run does; leaving the `with` block waits for it.
    """

    def __init__(self, folder: str | Path, keep: int = 2):
        """Opens a folder of checkpoints.

        Args:
          folder: made if it is not there.
          keep: number of newest checkpoints to keep.
        """
        logging.getLogger("absl").setLevel(logging.ERROR)
        self.folder = Path(folder).resolve()
        options = ocp.CheckpointManagerOptions(max_to_keep=keep, cleanup_tmp_directories=True)
        self._manager = ocp.CheckpointManager(
            self.folder, options=options, item_names=("state", "config")
        )

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._manager.wait_until_finished()
        self._manager.close()

    def latest(self) -> int | None:
        """The newest checkpoint's step, or None if there is none."""
        return self._manager.latest_step()

    def save(self, state: TrainState, config: ConfigDict) -> None:
        """Saves the state under its step, unless it is there already."""
        step = int(state.step)
        if step == self.latest():
            return
        self._manager.save(
            step,
            args=ocp.args.Composite(
                state=ocp.args.StandardSave(state),
                config=ocp.args.JsonSave(configs.to_dict(config)),
            ),
        )

    def restore(self, like: TrainState, step: int | None = None) -> TrainState:
        """A saved state, bitwise as it was.

        Args:
          like: a state of the same run; only its shapes, dtypes, devices and static fields count.
          step: which one; the newest by default.

        Raises:
          UserError: there is no such checkpoint, or it cannot be read as that state.
        """
        step = self.latest() if step is None else step
        if step is None:
            raise UserError(f"there is no checkpoint in {self.folder}")
        shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
        try:
            restored = self._manager.restore(
                step, args=ocp.args.Composite(state=ocp.args.StandardRestore(shapes))
            )
        except Exception as error:  # Orbax raises of many kinds, from several libraries
            raise UserError(
                f"the checkpoint {self.folder / str(step)} cannot be read ({_first_line(error)}): "
                "remove that folder, and the run goes on from the one before it"
            ) from error
        return restored["state"]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
