"""The meter: means of the metrics of steps, and images per second."""

import math
import time
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from resnet_jax.training.run.compilation import compile_seconds
from resnet_jax.training.step.step import Metrics


class NonFiniteLossError(Exception):
    """The loss is infinite or NaN; the message names the step."""

    def __init__(self, step: int, learning_rate: float, last_finite: float | None):
        before = "none" if last_finite is None else f"{last_finite:.4g}"
        super().__init__(
            f"the loss is not finite at step {step} (learning rate {learning_rate:.4g}, last "
            f"finite loss {before}): lower optimizer.learning_rate, or use a longer warm-up"
        )
        self.step = step


class Meter:
    """Accumulates metrics between records; they stay on the device until a record is made."""

    def __init__(self, batch_size: int, num_train: int, pending: Sequence[dict[str, float]] = ()):
        """Starts to measure.

        Args:
          batch_size: examples of a step.
          num_train: examples of an epoch.
          pending: metrics that an earlier process has not recorded.
        """
        self._batch_size, self._num_train = batch_size, num_train
        self._pending: list[Any] = list(pending)
        self._earlier = len(pending)
        self._last_finite: float | None = None
        self._clock = time.perf_counter()
        self._paused = 0.0

    def add(self, metrics: Metrics) -> None:
        """Adds the metrics of a step."""
        self._pending.append(metrics)

    def pending(self, step: int) -> list[dict[str, float]]:
        """The metrics since the last record, for a process that resumes the run.

        Raises:
          NonFiniteLossError: a loss among them is not finite.
        """
        rows = jax.device_get(self._pending)
        # In float64, so that a resumed run computes the same means.
        self._pending = [{name: float(value) for name, value in row.items()} for row in rows]
        self._check_finite(self._pending, step)
        return list(self._pending)

    def pause(self, seconds: float) -> None:
        """Excludes the seconds of an evaluation from the next record's images per second."""
        self._paused += seconds

    def record(self, step: int) -> dict[str, Any]:
        """A record of the steps since the last record, up to and including `step`.

        Returns:
          A record of kind `train`: means of `loss`, `error` (percent) and `gradient_norm` (in
          float16 also of `skipped`, the share of skipped updates, and `loss_scale`), the last
          `learning_rate`, `images_per_second` without compilation, and `memory`, bytes in use on
          the first device, or None if the device does not report them.

        Raises:
          NonFiniteLossError: a loss among them is not finite.
        """
        rows = self.pending(step)
        means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        images = (len(rows) - self._earlier) * self._batch_size
        self._pending, self._earlier = [], 0
        return {
            "kind": "train",
            "step": step,
            "epoch": round(step * self._batch_size / self._num_train, 4),
            **means,
            "learning_rate": float(rows[-1]["learning_rate"]),
            "images_per_second": round(images / self._seconds_in_steps(), 1),
            "memory": _memory(),
        }

    def _seconds_in_steps(self) -> float:
        now = time.perf_counter()
        seconds = now - self._clock - self._paused - compile_seconds(self._clock)
        self._clock, self._paused = now, 0.0
        return max(seconds, 1e-9)

    def _check_finite(self, rows: list[Any], step: int) -> None:
        for index, row in enumerate(rows):
            if not math.isfinite(row["loss"]):
                at = step - len(rows) + index + 1
                raise NonFiniteLossError(at, float(row["learning_rate"]), self._last_finite)
            self._last_finite = float(row["loss"])


def _memory() -> int | None:
    found = jax.local_devices()[0].memory_stats()
    return found.get("bytes_in_use") if found else None
