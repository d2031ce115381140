"""Evaluation: every example of a split once, in evaluation mode."""

import jax

from resnet_jax.data import Dataset, Split
from resnet_jax.training.mapping import compiled_eval_step
from resnet_jax.training.state import TrainState


def evaluate(state: TrainState, dataset: Dataset, split: Split) -> dict[str, float]:
    """The mean loss and the error of a state over a split.

    Args:
      state: the run.
      dataset: its data set.
      split: `train` (without augmentation) or `test`.

    Returns:
      `loss` (nats), `error` (percent) and `examples`, their number.
    """
    sums = [compiled_eval_step(state, batch) for batch in dataset.eval_batches(split)]
    totals = jax.tree.map(lambda *parts: float(sum(parts)), *jax.device_get(sums))
    return {
        "loss": totals["loss"] / totals["examples"],
        "error": 100 * totals["mistakes"] / totals["examples"],
        "examples": int(totals["examples"]),
    }
