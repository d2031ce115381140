"""Signals: a run that is told to stop saves at the next step, and says by its code that it did.

SIGINT (Ctrl-C) and SIGTERM (what schedulers send before they kill) are noted, and the loop asks
after each step. A second one does not wait: it raises where the run stands, and what was saved
before is what the same command goes on from.

In a job of several processes all have to save at the same step. There SIGTERM is left to JAX,
whose coordinator hears of it from any process and lets all of them agree on a step
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
    """A run stopped because it was told to, with all that it had done saved.

    Attributes:
      step: updates made, and saved.
      told: whether this process is the one of its job that speaks.
      code: what the process is to exit with: 128 and the signal's number, 130 for SIGINT and 143
        for SIGTERM, as shells report them.
    """

    def __init__(self, step: int, signal_number: int):
        super().__init__(f"stopped and saved at step {step}")
        self.step = step
        self.told = distributed.speaks()
        self.code = 128 + signal_number


class Signals:
    """Notes signals while its `with` block runs; in the main thread, where Python allows it."""

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
        """Puts back what handled signals before.

        Raises:
          KeyboardInterrupt: a signal came too late to be asked for, in the last step or in one
            whose loss is not finite; whoever trains many runs is to stop all the same.
        """
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.received is not None and (error is None or isinstance(error, NonFiniteLossError)):
            late = KeyboardInterrupt("stopped")
            late.code = 128 + self.received  # type: ignore[attr-defined]
            raise late

    def after(self, step: int) -> int | None:
        """The signal on which to stop after a step, in which all processes agree; None to go on."""
        if jax.process_count() == 1:
            return self.received
        from jax.experimental import multihost_utils

        return signal.SIGTERM if multihost_utils.reached_preemption_sync_point(step) else None

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
