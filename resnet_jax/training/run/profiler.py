"""A profiler trace of some steps, for TensorBoard and Perfetto (https://ui.perfetto.dev)."""

from pathlib import Path
from types import TracebackType
from typing import Any

import jax

from resnet_jax.training.devices import distributed


class Profiler:
    """Traces a range of steps, in the main process; an empty range is not traced."""

    def __init__(self, folder: Path, steps: range):
        """Prepares to trace.

        Args:
          folder: the run's folder; the trace is written to its `profile`.
          steps: steps, counted from 1.
        """
        self._folder, self._steps, self._tracing = folder / "profile", steps, False

    def __enter__(self) -> "Profiler":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def before(self, step: int) -> None:
        """Starts the trace before its first step."""
        if step in self._steps and not self._tracing and distributed.is_main_process():
            jax.profiler.start_trace(str(self._folder), create_perfetto_trace=True)
            self._tracing = True

    def after(self, step: int, metrics: Any) -> None:
        """Ends the trace after its last step, when the devices have computed the metrics."""
        if self._tracing and step >= self._steps[-1]:
            jax.block_until_ready(metrics)
            self._stop()

    def _stop(self) -> None:
        if self._tracing:
            self._tracing = False
            jax.profiler.stop_trace()
