"""Evaluation: every example of a split once, in evaluation mode."""

import jax

from resnet_jax.data import Dataset, Split
from resnet_jax.training.devices.mapping import Mapping
from resnet_jax.training.step.state import TrainState


def evaluate(
    state: TrainState, dataset: Dataset, split: Split, mapping: Mapping
) -> dict[str, float]:
    """The mean loss and the error of a state over a split.

    Args:
      state: the run, as the mapping placed it.
      dataset: its data set.
      split: `train` (without augmentation) or `test`.
      mapping: what runs it.

    Returns:
      `loss` (the one that is trained on, without smoothing; cross-entropy in nats), `error`
      (percent) and `examples`, their number; with averaged weights, theirs as `ema_loss` and
      `ema_error`, with the running statistics of the raw ones.
    """
    found = _over(state, dataset, split, mapping)
    if state.ema is None:
        return found
    averaged = _over(state.replace(params=state.ema), dataset, split, mapping)
    return found | {"ema_loss": averaged["loss"], "ema_error": averaged["error"]}


def _over(state: TrainState, dataset: Dataset, split: Split, mapping: Mapping) -> dict[str, float]:
    batches = map(mapping.batch, dataset.eval_batches(split))
    sums = [mapping.eval_step(state, batch) for batch in batches]
    totals = jax.tree.map(lambda *parts: float(sum(parts)), *jax.device_get(sums))
    return {
        "loss": totals["loss"] / totals["examples"],
        "error": 100 * totals["mistakes"] / totals["examples"],
        "examples": int(totals["examples"]),
    }
