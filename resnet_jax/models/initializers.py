"""How the kernels of a network are drawn."""

from collections.abc import Callable

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import DTypeLike

Initializer = Callable[..., Array]
"""From (key, shape, dtype) to the initial value of a parameter."""


def fan_in_normal(gain: float) -> Initializer:
    """Normal kernels of standard deviation sqrt(gain / fan_in).

    Args:
      gain: 2 keeps the second moment through layers of ReLU (He et al. 2015b, arXiv 1502.01852,
        eq. 10).

    Returns:
      A function of (key, shape, dtype), where shape ends in the number of output features.
    """
    return nn.initializers.variance_scaling(gain, "fan_in", "normal")


def orthogonal(gain: float) -> Initializer:
    """Kernels that are `gain` times a matrix of orthonormal rows or columns, whichever are fewer.

    The matrix takes all pixels and channels under the window to the output features (Saxe et al.
    2013, arXiv 1312.6120). Windows overlap, so the convolution as a whole is no isometry.

    Args:
      gain: sqrt(2) makes up for the half of the second moment that a ReLU takes.

    Returns:
      A function of (key, shape, dtype), where shape ends in the number of output features.
    """
    return nn.initializers.orthogonal(gain)


def delta_orthogonal(gain: float) -> Initializer:
    """Kernels that are zero but in their centre, which is `gain` times an orthogonal matrix.

    Xiao et al. 2018 (arXiv 1806.05393), algorithm 2. At stride 1 the linear convolution multiplies
    the norm of every input by `gain`, wherever features are as many as channels or more. The paper
    leaves out fewer features; here the matrix then has orthonormal columns, and the convolution
    keeps the norm of what lies in their span, and nothing else. The paper's networks are of tanh
    and have a gain near 1: with ReLU the isometry is one on average.

    Args:
      gain: sqrt(2) makes up for the half of the second moment that a ReLU takes.

    Returns:
      A function of (key, shape, dtype), where shape is (size, size, channels, features), size odd.
    """

    def draw(key: Array, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> Array:
        *window, channels, features = shape
        matrix = orthogonal(gain)(key, (channels, features), dtype)
        centre = tuple(size // 2 for size in window)
        return jnp.zeros(shape, dtype).at[centre].set(matrix)

    return draw


def times(factor: float, draw: Initializer) -> Initializer:
    """The same draw times a factor; at factor 0 nothing is drawn."""
    if factor == 1:
        return draw
    if factor == 0:
        return nn.initializers.zeros
    return lambda *given: factor * draw(*given)


he_normal = fan_in_normal(2.0)

INITIALIZERS: dict[str, Initializer] = {
    "he": he_normal,
    "orthogonal": orthogonal(2**0.5),
    "delta_orthogonal": delta_orthogonal(2**0.5),
    "glorot": nn.initializers.glorot_uniform(),
}
"""By name, those of the convolutions. All but one have the gain that a ReLU needs: "glorot" is as
published, without one, uniform of variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010, eq. 16).
"""
