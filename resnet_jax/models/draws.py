"""How the kernels of a network are drawn."""

import math
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import DTypeLike, Float

Initializer = Callable[..., Array]
"""From (key, shape, dtype) to the initial value of a parameter."""

SHORTEST_ROW = 4**7


def fan_in_normal(gain: float) -> Initializer:
    """Normal kernels of standard deviation sqrt(gain / fan_in).

    The values are those of `variance_scaling(gain, "fan_in", "normal")`, but come as the beginning
    of a longer row (each draw of JAX's default generator depends on its position alone). Rows have
    few lengths, and a generator takes XLA on a CPU some 0.3 s to compile for each.

    Args:
      gain: 2 keeps the second moment through layers of ReLU (He et al. 2015b, arXiv 1502.01852,
        eq. 10).

    Returns:
      A function of (key, shape, dtype), where shape ends in the number of output features.
    """

    def init(key: Array, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> Array:
        row = jax.random.normal(key, (_row_length(math.prod(shape)),), dtype)
        return _cut(row, tuple(shape), math.sqrt(gain / math.prod(shape[:-1])))

    return init


def _row_length(size: int) -> int:
    """The power of four that has room for so many values, or the shortest row."""
    bits = (size - 1).bit_length()
    return max(SHORTEST_ROW, 4 ** math.ceil(bits / 2))


@partial(jax.jit, static_argnames=("shape", "deviation"))
def _cut(row: Float[Array, " n"], shape: tuple[int, ...], deviation: float) -> Array:
    return deviation * row[: math.prod(shape)].reshape(shape)


he_normal = fan_in_normal(2.0)
