"""The meter: gathers what steps return, and the seconds they take, without waiting for each."""

import math
import time
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from resnet_jax.training.run.compilation import compile_seconds
from resnet_jax.training.step.step import Metrics


class NonFiniteLossError(Exception):
    """The loss became infinite or not a number; the message says where."""

    def __init__(self, step: int, learning_rate: float, last_finite: float | None):
        before = "none" if last_finite is None else f"{last_finite:.4g}"
        super().__init__(
            f"the loss is not finite at step {step} (learning rate {learning_rate:.4g}, last "
            f"finite loss {before}): lower optimizer.learning_rate or lengthen the warm-up"
        )
        self.step = step


class Meter:
    """Metrics since the last record. They stay on the device until a record is asked for."""

    def __init__(self, batch_size: int, num_train: int, pending: Sequence[dict[str, float]] = ()):
        """Begins to gather.

        Args:
          batch_size: examples of a step.
          num_train: examples of an epoch.
          pending: what an earlier process had gathered since its last record.
        """
        self._batch_size, self._num_train = batch_size, num_train
        self._pending: list[Any] = list(pending)
        self._earlier = len(pending)
        self._last_finite: float | None = None
        self._clock = time.perf_counter()
        self._paused = 0.0

    def add(self, metrics: Metrics) -> None:
        """Takes what one step returned."""
        self._pending.append(metrics)

    def pending(self, step: int) -> list[dict[str, float]]:
        """What was gathered since the last record, for another process to go on with.

        Raises:
          NonFiniteLossError: a loss among it is not finite.
        """
        rows = jax.device_get(self._pending)
        # As floats of 64 bits, so that a mean is the same whoever gathered its parts.
        self._pending = [{name: float(value) for name, value in row.items()} for row in rows]
        self._check_finite(self._pending, step)
        return list(self._pending)

    def pause(self, seconds: float) -> None:
        """Leaves seconds that did not go into steps, an evaluation's, out of the next record."""
        self._paused += seconds

    def record(self, step: int) -> dict[str, Any]:
        """What the steps since the last record, up to and with `step`, returned.

        Returns:
          A record of kind `train`: means of `loss`, `error` (percent) and `gradient_norm` (and in
          float16 of `skipped`, the share of steps without an update, and `loss_scale`), the
          last `learning_rate`, `images_per_second`, compilation left out, and `memory`, bytes in
          use on the first device, or None where it does not tell.

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
