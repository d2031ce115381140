"""Gradients of a batch, taken whole or in parts one after another.

In A parts, a batch needs the memory of one A-th of it. The loss and the gradient are the means
over all examples, as of the whole batch; but each part is normalised by its own statistics, and
updates the running ones in its turn, as that many steps would. So A parts are not the same as one
in a network with batch norm, and are the same, to rounding, in one without.

Part j of A has the examples j, A + j, 2 A + j, ... of the batch: so, a batch that is spread over
devices is parted without moving an example, and its parts are the same on any number of devices
that divides the batch into whole multiples of A.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from resnet_jax.training.step.objective import Labels, mistakes, objective
from resnet_jax.training.step.precision import number
from resnet_jax.training.step.state import TrainState


class Learned(NamedTuple):
    """What a batch says beside the gradient.

    Attributes:
      batch_stats: the running statistics after it.
      loss: its mean.
      mistakes: the share of examples that were classified wrongly.
    """

    batch_stats: PyTree
    loss: Float[Array, ""]
    mistakes: Float[Array, ""]


def gradients(
    state: TrainState, images: Float[Array, "b h w c"], labels: Labels
) -> tuple[PyTree, Learned]:
    """The gradient of the mean loss over the batch, over all replicas where there are such.

    Args:
      state: the run; in `accumulate` parts.
      images: normalised and augmented.
      labels: classes, or their shares.
    """
    if state.accumulate == 1:
        found, learned = _of_part(state, state.batch_stats, images, labels)
    else:
        found, learned = _of_parts(state, images, labels)
    if not state.replicas:
        return found, learned
    found, loss, wrong = state.replicas.mean((found, learned.loss, learned.mistakes))
    return found, Learned(learned.batch_stats, loss, wrong)


def _of_part(
    state: TrainState, batch_stats: PyTree, images: Array, labels: Array, number: Array | int = 0
) -> tuple[PyTree, Learned]:
    scale = state.loss_scale
    differentiate = (
        scale.value_and_grad(objective) if scale else jax.value_and_grad(objective, has_aux=True)
    )
    before = state.replace(batch_stats=batch_stats)
    (loss, (after, logits)), found = differentiate(state.params, before, images, labels, number)
    after = state.replicas.merged(after) if state.replicas else after
    return found, Learned(after, loss, mistakes(logits, labels).mean())


def _of_parts(state: TrainState, images: Array, labels: Array) -> tuple[PyTree, Learned]:
    count = state.accumulate

    def parted(array: Array) -> Array:
        return jnp.swapaxes(array.reshape(-1, count, *array.shape[1:]), 0, 1)

    def add(sums: tuple[PyTree, Learned], part: tuple[Array, Array, Array]) -> tuple[Any, None]:
        total, before = sums
        found, learned = _of_part(state, before.batch_stats, *part)
        total = jax.tree.map(lambda a, b: a + b / count, total, found)
        loss, wrong = before.loss + learned.loss / count, before.mistakes + learned.mistakes / count
        return (total, Learned(learned.batch_stats, loss, wrong)), None

    zero = number(0)
    none = jax.tree.map(jnp.zeros_like, state.params), Learned(state.batch_stats, zero, zero)
    parts = parted(images), parted(labels), jnp.arange(count)
    # XLA's CPU backend is many times slower at the gradient of a convolution inside a loop.
    unroll = count if jax.default_backend() == "cpu" else 1
    sums, _ = jax.lax.scan(add, none, parts, unroll=unroll)
    return sums
