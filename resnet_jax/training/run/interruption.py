"""Interruption: on SIGINT or SIGTERM a run saves a checkpoint after the current step, and stops.

SIGINT (Ctrl-C) and SIGTERM (sent by schedulers before SIGKILL) are noted, and the loop asks for
them after each step. A second signal raises KeyboardInterrupt at once; the run then resumes from
its last checkpoint.

In a job of several processes all have to save at the same step. There JAX handles SIGTERM: its
coordinator learns of it from any process and chooses a step for all of them
(`multihost_utils.reached_preemption_sync_point`).
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

import jax

from resnet_jax.training.devices import distributed
from resnet_jax.training.run.meter import NonFiniteLossError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """A run was saved and stopped on a signal.

    Attributes:
      step: number of updates that are saved.
      told: whether this is the main process of its job, which tells the user.
      code: exit code for the process: 128 plus the signal number, as shells report it (130 for
        SIGINT, 143 for SIGTERM).
    """

    def __init__(self, step: int, signal_number: int):
        super().__init__(f"stopped and saved at step {step}")
        self.step = step
        self.told = distributed.is_main_process()
        self.code = 128 + signal_number


class Signals:
    """Notes signals within a `with` block, if it runs in the main thread."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Signals":
        if threading.current_thread() is threading.main_thread() and jax.process_count() == 1:
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Restores the previous signal handlers.

        Raises:
          KeyboardInterrupt: a signal came too late for `after`, in the last step or in one whose
            loss is not finite; a grid of runs has to stop nevertheless.
        """
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.received is not None and (error is None or isinstance(error, NonFiniteLossError)):
            late = KeyboardInterrupt("stopped")
            late.code = 128 + self.received  # type: ignore[attr-defined]
            raise late

    def after(self, step: int) -> int | None:
        """The signal on which to stop after a step; None to continue. All processes agree."""
        if jax.process_count() == 1:
            return self.received
        from jax.experimental import multihost_utils

        return signal.SIGTERM if multihost_utils.reached_preemption_sync_point(step) else None

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
