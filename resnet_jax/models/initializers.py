"""Initializers of convolution kernels."""

from collections.abc import Callable

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import DTypeLike

Initializer = Callable[..., Array]
"""Maps (key, shape, dtype) to the initial value of a parameter."""


def fan_in_normal(gain: float) -> Initializer:
    """Normal with standard deviation sqrt(gain / fan_in).

    Args:
      gain: 2 preserves the second moment through a ReLU layer (He et al. 2015b, arXiv 1502.01852,
        eq. 10).

    Returns:
      A function of (key, shape, dtype), where shape ends in the number of output features.
    """
    return nn.initializers.variance_scaling(gain, "fan_in", "normal")


def orthogonal(gain: float) -> Initializer:
    """`gain` times a matrix with orthonormal rows or columns, whichever are fewer.

    The matrix maps the window (all its pixels and channels) to the output features (Saxe et al.
    2013, arXiv 1312.6120). Windows overlap, so the convolution as a whole is not an isometry.

    Args:
      gain: sqrt(2) compensates for ReLU, which halves the second moment.

    Returns:
      A function of (key, shape, dtype), where shape ends in the number of output features.
    """
    return nn.initializers.orthogonal(gain)


def delta_orthogonal(gain: float) -> Initializer:
    """Zero except at the center pixel, which is `gain` times an orthogonal matrix.

    Xiao et al. 2018 (arXiv 1806.05393), algorithm 2. With at least as many features as channels and
    stride 1, the linear convolution multiplies the norm of every input by `gain`. The paper does
    not treat fewer features; the matrix then has orthonormal columns, and the convolution preserves
    the norm of inputs in their span only. The paper's networks have tanh and a gain near 1: with
    ReLU the norm is preserved on average.

    Args:
      gain: sqrt(2) compensates for ReLU, which halves the second moment.

    Returns:
      A function of (key, shape, dtype), where shape is (size, size, channels, features), size odd.
    """

    def draw(key: Array, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> Array:
        *window, channels, features = shape
        matrix = orthogonal(gain)(key, (channels, features), dtype)
        center = tuple(size // 2 for size in window)
        return jnp.zeros(shape, dtype).at[center].set(matrix)

    return draw


def times(factor: float, init: Initializer) -> Initializer:
    """The same initializer with its values multiplied by a factor."""
    if factor == 1:
        return init
    if factor == 0:
        return nn.initializers.zeros
    return lambda *given: factor * init(*given)


he_normal = fan_in_normal(2.0)

INITIALIZERS: dict[str, Initializer] = {
    "he": he_normal,
    "orthogonal": orthogonal(2**0.5),
    "delta_orthogonal": delta_orthogonal(2**0.5),
    "glorot": nn.initializers.glorot_uniform(),
}
"""Initializers of convolution kernels. All but "glorot" have the gain of ReLU; that one is uniform
with variance 2 / (fan_in + fan_out), as published (Glorot and Bengio 2010, eq. 16).
"""
