"""Checkpoints: the whole state and the config, by step, written by Orbax and checked when read.

Orbax writes a checkpoint beside its place and moves it there when it is whole, so that a process
that is killed leaves none that is half-written. Against what happens to files later, each holds
a digest of its contents; one that is damaged is set aside, and the one before it is used.
"""

import hashlib
import logging
import shutil
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
from resnet_jax.training.step.state import TrainState

ITEMS = ("state", "config", "progress")
MARGIN_BYTES = 200_000  # of a checkpoint beside its arrays
PASSING = (PermissionError, TimeoutError, MemoryError)
PASSING_WORDS = ("RESOURCE_EXHAUSTED", "PERMISSION_DENIED", "UNAVAILABLE", "Too many open files")
"""What keeps a checkpoint from being read although there is nothing wrong with it."""

DAMAGED = "damaged-"  # before the step in the name of a checkpoint that was set aside


@dataclass(frozen=True)
class Progress:
    """What goes on with a run beside its state.

    Attributes:
      pending: metrics of the steps since the last record.
      compile: seconds spent compiling so far.
      total: seconds spent so far.
      replicas: how many devices had batch statistics of their own; 0 if none had.
    """

    pending: list[dict[str, float]] = field(default_factory=list)
    compile: float = 0.0
    total: float = 0.0
    replicas: int = 0


class Checkpoints:
    """The checkpoints of one run, newest last.

    Writing goes on in the background while the run does; leaving the `with` block waits for it.
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
          folder: made if it is not there.
          keep: number of newest checkpoints to keep.
          observer: told of each that is set aside.
          read_only: whether the folder is left as it is, in which a run may be under way.
        """
        for name in ("absl", "asyncio"):  # whose errors are raised too, and told once
            logging.getLogger(name).setLevel(logging.CRITICAL)
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
        """Waits for what is being written.

        Raises:
          UserError: it could not be.
        """
        try:
            self.wait()
        except UserError:
            if error is None:
                raise
        finally:
            self._manager.close()

    def wait(self) -> None:
        """Waits for what is being written.

        Raises:
          UserError: it could not be.
        """
        try:
            self._manager.wait_until_finished()
        except Exception as failure:
            raise self._not_written(failure) from failure

    def latest(self) -> int | None:
        """The newest checkpoint's step, or None if there is none."""
        return self._manager.latest_step()

    def save(self, state: TrainState, config: ConfigDict, progress: Progress | None = None) -> None:
        """Saves the state under its step, unless it is there already.

        Args:
          state: whole on every device.
          config: the run's config, for whoever finds the checkpoint.
          progress: what goes on with the run beside its state.

        Raises:
          UserError: this one or the one before it could not be written.
        """
        step = int(state.step)
        if step == self.latest():
            return
        self._refuse_full_disk(state)
        more = vars(progress or Progress()) | {"digest": digest(state), "layout": layout(state)}
        try:
            self._manager.save(
                step,
                force=True,  # when to save is the loop's to say
                args=ocp.args.Composite(
                    state=ocp.args.StandardSave(state),
                    config=ocp.args.JsonSave(configs.to_dict(config)),
                    progress=ocp.args.JsonSave(more),
                ),
            )
        except Exception as error:
            raise self._not_written(error) from error

    def restore(self, like: TrainState) -> tuple[TrainState, Progress] | None:
        """The newest state that is whole, bitwise as it was saved.

        One that is damaged is set aside, under a name that is told to the observer.

        Args:
          like: a state of the same run; only its shapes, dtypes, shardings and static fields
            count.

        Returns:
          None if there is no checkpoint at all.

        Raises:
          UserError: there are checkpoints, and none is whole, or they are of another network.
        """
        aside = []
        for step in sorted(self._manager.all_steps(), reverse=True):
            found, error = self._try(step, like)
            if found and not error:
                return found
            aside.append(self._set_aside(step, error))
        if aside or self._damaged():
            raise UserError(
                f"none of the checkpoints in {self.folder} can be read: "
                f"{'; '.join(aside) or 'all were set aside before'}. Remove the run's folder to "
                "begin it anew"
            )
        return None

    def restore_before(self, like: TrainState, step: int) -> TrainState | None:
        """The newest state of fewer updates than `step`; None if there is none.

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

    def _try(
        self, step: int, like: TrainState
    ) -> tuple[tuple[TrainState, Progress] | None, Exception | None]:
        """What is in a checkpoint, or what is wrong with it, which every process hears of."""
        found, error = None, None
        try:
            found = self._read(step, like)
        except UserError:
            raise
        except Exception as failure:  # Orbax raises of many kinds, from several libraries
            if isinstance(failure, PASSING) or any(word in str(failure) for word in PASSING_WORDS):
                raise UserError(
                    f"checkpoint {self.folder / str(step)} cannot be read now "
                    f"({one_line(failure)}): it was left as it is; try again"
                ) from failure
            error = failure
        if not distributed.agree(error is None) and error is None:
            error = ValueError("another process could not read it")
        return found, error

    def _read(self, step: int, like: TrainState) -> tuple[TrainState, Progress]:
        progress = dict(self._restore(step, "progress", ocp.args.JsonRestore()))
        if progress.pop("layout") != layout(like):
            raise UserError(
                f"checkpoint {self.folder / str(step)} is of another network or optimizer: its "
                "parameters have other names or shapes, as after a change of the code; go on with "
                f"the code of before, or remove {self.folder.parent} and begin anew"
            )
        shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
        state = self._restore(step, "state", ocp.args.StandardRestore(shapes))
        if digest(state) != progress.pop("digest"):
            raise ValueError("its contents are not those that were saved")
        return state, Progress(**progress)

    def _restore(self, step: int, item: str, how: Any) -> Any:
        return self._manager.restore(step, args=ocp.args.Composite(**{item: how}))[item]

    def _set_aside(self, step: int, error: Exception | None) -> str:
        message = f"checkpoint {step} cannot be read ({error and one_line(error)})"
        if self._read_only:
            return message
        place = _free(self.folder / f"{DAMAGED}{step}")
        message += f", set aside as {place}"
        if distributed.speaks():
            (self.folder / str(step)).rename(place)
        if jax.process_count() > 1:
            from jax.experimental import multihost_utils

            multihost_utils.sync_global_devices(f"set aside {step}")
        self._manager.reload()
        self._observer.warn(message)
        return message

    def _refuse_full_disk(self, state: TrainState) -> None:
        """Finds before anything is written that there is no room for it."""
        needed = sum(leaf.nbytes for leaf in jax.tree.leaves(state)) + MARGIN_BYTES
        if distributed.agree(shutil.disk_usage(self.folder).free > 3 * needed):
            return
        # The one before may still take room, or make some by the removal of an old one.
        self.wait()
        free = shutil.disk_usage(self.folder).free
        if not distributed.agree(free > needed):
            full = OSError(f"the disk is full: {_megabytes(free)} left of {_megabytes(needed)}")
            raise self._not_written(full)

    def _damaged(self) -> list[Path]:
        return list(self.folder.glob(f"{DAMAGED}*"))

    def _not_written(self, error: Exception) -> UserError:
        whole = [step for step in self._manager.all_steps() if (self.folder / str(step)).exists()]
        last = f"the one of step {max(whole)} is whole" if whole else "there is none before it"
        return UserError(
            f"a checkpoint could not be written to {self.folder} ({one_line(error)}): {last}. "
            "Make room, and the same command goes on from there"
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def digest(state: TrainState) -> str:
    """A number for all bits of a state, by which a damaged one is known: BLAKE2b, 128 bits."""
    found = hashlib.blake2b(digest_size=16)
    for leaf in jax.tree.leaves(state):
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
        found.update(np.ascontiguousarray(jax.device_get(leaf)).data)
    return found.hexdigest()


def layout(state: TrainState) -> str:
    """A number for the names, shapes and dtypes of a state's leaves."""
    leaves = [
        f"{jax.tree_util.keystr(path)} {leaf.shape} {leaf.dtype}"
        for path, leaf in jax.tree_util.tree_leaves_with_path(state)
    ]
    return hashlib.blake2b("\n".join(leaves).encode(), digest_size=16).hexdigest()


def _free(place: Path) -> Path:
    """A name that is not taken, by a number after the one that was asked for."""
    number = 1
    free = place
    while free.exists():
        number += 1
        free = place.with_name(f"{place.name}-{number}")
    return free
