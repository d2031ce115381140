"""Checkpoints: the training state and the config by step, written by Orbax, verified when read.

Orbax writes a checkpoint under a temporary name and renames it when it is complete, so that a
killed process leaves no partial one. Each holds a digest of its state, by which later corruption is
noticed: a corrupt checkpoint is quarantined, and the previous one is used.
"""

import hashlib
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from ml_collections import ConfigDict

from resnet_jax.errors import UserError, one_line
from resnet_jax.training import config as configs
from resnet_jax.training.devices import distributed
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.orbax_errors import is_transient, logs_dropped
from resnet_jax.training.step.state import TrainState

ITEMS = ("state", "config", "progress")
MARGIN_BYTES = 200_000  # size of a checkpoint without its arrays, at most
QUARANTINED = "damaged-"  # prefix of the folder of a corrupt checkpoint


@dataclass(frozen=True)
class Progress:
    """What a run needs to resume beside its state.

    Attributes:
      pending: metrics of the steps since the last record.
      compile: seconds spent compiling so far.
      total: seconds spent so far.
      replicas: number of devices with batch statistics of their own; 0 if none.
    """

    pending: list[dict[str, float]] = field(default_factory=list)
    compile: float = 0.0
    total: float = 0.0
    replicas: int = 0


class Checkpoints:
    """The checkpoints of one run.

    They are written in the background while the run continues; leaving the `with` block waits.
    """

    def __init__(
        self,
        folder: str | Path,
        keep: int = 2,
        observer: Observer | None = None,
        read_only: bool = False,
    ):
        """Opens a folder of checkpoints.

        Args:
          folder: created if missing.
          keep: number of newest checkpoints to keep.
          observer: told of each checkpoint that is quarantined.
          read_only: leaves the folder as it is; a run may be writing to it.
        """
        self._logs = ExitStack()
        self._logs.enter_context(logs_dropped())
        self.folder = Path(folder).resolve()
        self._observer = observer or Observer()
        self._read_only = read_only
        options = ocp.CheckpointManagerOptions(
            max_to_keep=None if read_only else keep,
            cleanup_tmp_directories=not read_only,
            read_only=read_only,
        )
        self._manager = ocp.CheckpointManager(self.folder, options=options, item_names=ITEMS)

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Waits until checkpoints are written.

        Raises:
          UserError: one could not be written, and the block raised no other error.
        """
        try:
            self.wait()
        except UserError:
            if error is None:
                raise
        finally:
            self._manager.close()
            self._logs.close()

    def wait(self) -> None:
        """Waits until checkpoints are written.

        Raises:
          UserError: one could not be written.
        """
        try:
            self._manager.wait_until_finished()
        except Exception as failure:
            raise self._not_written(failure) from failure

    def latest(self) -> int | None:
        """The step of the newest checkpoint; None if there is none."""
        return self._manager.latest_step()

    def is_empty(self) -> bool:
        """Whether there are no checkpoints, not even corrupt ones."""
        return self.latest() is None and not self._quarantined()

    def save(self, state: TrainState, config: ConfigDict, progress: Progress | None = None) -> None:
        """Saves a state under its step, unless that is saved already.

        Args:
          state: whole on every device.
          config: the full config, kept beside the state.
          progress: what the run needs to resume beside its state.

        Raises:
          UserError: this checkpoint or the previous one could not be written.
        """
        step = int(state.step)
        if step == self.latest():
            return
        self._refuse_full_disk(state)
        more = vars(progress or Progress()) | {"digest": digest(state), "layout": layout(state)}
        try:
            self._manager.save(
                step,
                force=True,  # the loop decides when to save
                args=ocp.args.Composite(
                    state=ocp.args.StandardSave(state),
                    config=ocp.args.JsonSave(configs.to_dict(config)),
                    progress=ocp.args.JsonSave(more),
                ),
            )
        except Exception as error:
            raise self._not_written(error) from error

    def restore(self, like: TrainState) -> tuple[TrainState, Progress] | None:
        """The newest state that can be read, bitwise as it was saved.

        A corrupt checkpoint is quarantined: its folder is renamed, and the observer is told.

        Args:
          like: a state of the same run, of which only shapes, dtypes, shardings and static fields
            are used.

        Returns:
          None if there are no checkpoints.

        Raises:
          UserError: none of the checkpoints can be read, or they are of another network.
        """
        corrupt = []
        for step in sorted(self._manager.all_steps(), reverse=True):
            found = self._try(step, like)
            if not isinstance(found, Exception):
                return found
            corrupt.append(self._quarantine(step, found))
        if corrupt or self._quarantined():
            raise UserError(
                f"none of the checkpoints in {self.folder} can be read: "
                f"{'; '.join(corrupt) or 'all were quarantined before'}. Remove the run's folder "
                "to start from scratch"
            )
        return None

    def restore_before(self, like: TrainState, step: int) -> TrainState | None:
        """The newest state with fewer updates than `step`; None if there is none.

        Raises:
          UserError: it cannot be read.
        """
        earlier = [each for each in self._manager.all_steps() if each < step]
        if not earlier:
            return None
        try:
            return self._read(max(earlier), like)[0]
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"checkpoint {max(earlier)} cannot be read ({one_line(error)})"
            ) from error

    def _try(self, step: int, like: TrainState) -> tuple[TrainState, Progress] | Exception:
        """A checkpoint, or the reason why it is corrupt for one of the processes."""
        found: tuple[TrainState, Progress] | Exception
        try:
            found = self._read(step, like)
        except UserError:
            raise
        except Exception as error:  # of many types, from several libraries
            if is_transient(error):
                raise UserError(
                    f"checkpoint {self.folder / str(step)} cannot be read now "
                    f"({one_line(error)}): it was left as it is; try again"
                ) from error
            found = error
        if distributed.agree(not isinstance(found, Exception)) or isinstance(found, Exception):
            return found
        return ValueError("another process could not read it")

    def _read(self, step: int, like: TrainState) -> tuple[TrainState, Progress]:
        progress = dict(self._restore(step, "progress", ocp.args.JsonRestore()))
        if progress.pop("layout") != layout(like):
            raise UserError(
                f"checkpoint {self.folder / str(step)} is of another network or optimizer, perhaps "
                "since the code has changed: names or shapes of its arrays differ; resume with the "
                f"previous code, or remove {self.folder.parent} to start from scratch"
            )
        shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
        state = self._restore(step, "state", ocp.args.StandardRestore(shapes))
        if digest(state) != progress.pop("digest"):
            raise ValueError("the state differs from the one that was saved")
        return state, Progress(**progress)

    def _restore(self, step: int, item: str, how: Any) -> Any:
        return self._manager.restore(step, args=ocp.args.Composite(**{item: how}))[item]

    def _quarantine(self, step: int, error: Exception) -> str:
        message = f"checkpoint {step} cannot be read ({one_line(error)})"
        if self._read_only:
            return message
        place = _unused(self.folder / f"{QUARANTINED}{step}")
        message += f", quarantined as {place}"
        if distributed.is_main_process():
            (self.folder / str(step)).rename(place)
        if jax.process_count() > 1:
            from jax.experimental import multihost_utils

            multihost_utils.sync_global_devices(f"quarantined {step}")
        self._manager.reload()
        self._observer.warn(message)
        return message

    def _quarantined(self) -> list[Path]:
        return list(self.folder.glob(f"{QUARANTINED}*"))

    def _refuse_full_disk(self, state: TrainState) -> None:
        """Refuses to write a checkpoint for which the disk has no room."""
        needed = sum(leaf.nbytes for leaf in jax.tree.leaves(state)) + MARGIN_BYTES
        if distributed.agree(shutil.disk_usage(self.folder).free > 3 * needed):
            return
        # The previous checkpoint may still be in writing, and an old one be removed after it.
        self.wait()
        free = shutil.disk_usage(self.folder).free
        if not distributed.agree(free > needed):
            room = f"{_megabytes(free)} left, {_megabytes(needed)} needed"
            raise self._not_written(OSError(f"the disk is full: {room}"))

    def _not_written(self, error: Exception) -> UserError:
        whole = [step for step in self._manager.all_steps() if (self.folder / str(step)).exists()]
        last = f"the one of step {max(whole)} is whole" if whole else "there is no earlier one"
        return UserError(
            f"a checkpoint could not be written to {self.folder} ({one_line(error)}): {last}. "
            "Make room, and the same command resumes from there"
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def digest(state: TrainState) -> str:
    """A digest of all bits of a state: BLAKE2b with 128 bits, in hexadecimal."""
    found = hashlib.blake2b(digest_size=16)
    for leaf in jax.tree.leaves(state):
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
        found.update(np.ascontiguousarray(jax.device_get(leaf)).data)
    return found.hexdigest()


def layout(state: TrainState) -> str:
    """A digest of the names, shapes and dtypes of a state's leaves."""
    leaves = [
        f"{jax.tree_util.keystr(path)} {leaf.shape} {leaf.dtype}"
        for path, leaf in jax.tree_util.tree_leaves_with_path(state)
    ]
    return hashlib.blake2b("\n".join(leaves).encode(), digest_size=16).hexdigest()


def _unused(path: Path) -> Path:
    """The path, or if that exists the first of `path-2`, `path-3`, ... that does not."""
    number, unused = 1, path
    while unused.exists():
        number += 1
        unused = path.with_name(f"{path.name}-{number}")
    return unused
