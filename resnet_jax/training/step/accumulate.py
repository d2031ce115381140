"""Gradient accumulation: the gradient of a batch in A parts, with the memory of one part.

The loss and the gradient are means over all examples, as those of the whole batch. But each part is
normalized by its own batch statistics, and updates the running ones in turn, as A steps would. With
batch norm A parts therefore differ from the whole batch; without it they agree, up to rounding.

Part j consists of the examples j, A + j, 2 A + j, ... of the batch. A batch that is sharded over
devices is thus parted without moving an example, and its parts are the same on any number of
devices, as long as each device has a multiple of A examples.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from resnet_jax.training.step.objective import Labels, StepAux, gradient
from resnet_jax.training.step.precision import number
from resnet_jax.training.step.state import TrainState


def accumulated_gradient(
    state: TrainState, images: Float[Array, "b h w c"], labels: Labels
) -> tuple[PyTree, StepAux]:
    """`objective.gradient` of a batch in `state.accumulate` parts, one after another."""
    count = state.accumulate

    def parted(array: Array) -> Array:
        return jnp.swapaxes(array.reshape(-1, count, *array.shape[1:]), 0, 1)

    def add(sums: tuple[PyTree, StepAux], part: tuple[Array, Array, Array]) -> tuple[Any, None]:
        total, before = sums
        grads, aux = gradient(state.replace(batch_stats=before.batch_stats), *part)
        total = jax.tree.map(lambda a, b: a + b / count, total, grads)
        loss = before.loss + aux.loss / count
        return (total, StepAux(aux.batch_stats, loss, before.mistakes + aux.mistakes / count)), None

    zeros = jax.tree.map(jnp.zeros_like, state.params)
    start = zeros, StepAux(state.batch_stats, number(0), number(0))
    parts = parted(images), parted(labels), jnp.arange(count)
    # XLA's CPU backend is many times slower at the gradient of a convolution inside a loop.
    unroll = count if jax.default_backend() == "cpu" else 1
    sums, _ = jax.lax.scan(add, start, parts, unroll=unroll)
    return sums
