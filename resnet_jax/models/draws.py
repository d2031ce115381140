"""How the kernels of a network are drawn."""

from collections.abc import Callable

from flax import linen as nn
from jax import Array

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


he_normal = fan_in_normal(2.0)
