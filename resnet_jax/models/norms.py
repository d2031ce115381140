"""Normalisations, by name: subtract a mean, divide by a deviation, then scale and shift.

They differ in what the mean is taken over. Scale and shift are one number a channel.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from flax import linen as nn
from jax import Array
from jaxtyping import DTypeLike, Float


@dataclass(frozen=True)
class Norms:
    """What the norms of one network have in common.

    Attributes:
      momentum: share of the old running statistics that an update keeps; of batch norm.
      epsilon: added to the variance before its root is taken.
      groups: of channels; of group norm.
      axis_name: mapped axis over which batch statistics are averaged, if any.
      dtype: that of the output; statistics, scale and shift are float32.
      train: whether to normalise by the batch's statistics, and to update the running ones.
    """

    momentum: float
    epsilon: float
    groups: int
    axis_name: str | None
    dtype: DTypeLike
    train: bool


def batch(
    norms: Norms, images: Float[Array, "b h w c"], name: str, zero: bool
) -> Float[Array, "b h w c"]:
    """Over the batch and all pixels (Ioffe and Szegedy 2015, arXiv 1502.03167, algorithm 1).

    The variance is the biased one, in the running statistics too.
    """
    return nn.BatchNorm(
        use_running_average=not norms.train,
        momentum=norms.momentum,
        epsilon=norms.epsilon,
        dtype=norms.dtype,
        scale_init=_scale_init(zero),
        axis_name=norms.axis_name,
        name=name,
    )(images)


def group(
    norms: Norms, images: Float[Array, "b h w c"], name: str, zero: bool
) -> Float[Array, "b h w c"]:
    """Over all pixels and a group of channels of an image (Wu and He 2018, arXiv 1803.08494).

    There are gcd(groups, c) groups: of the paper's 32 in a stage of 16 channels, one for each
    channel, which is instance norm. Choose fewer groups for narrow networks.
    """
    groups = math.gcd(norms.groups, images.shape[-1])
    return nn.GroupNorm(
        num_groups=groups,
        epsilon=norms.epsilon,
        dtype=norms.dtype,
        scale_init=_scale_init(zero),
        name=name,
    )(images)


def layer(
    norms: Norms, images: Float[Array, "b h w c"], name: str, zero: bool
) -> Float[Array, "b h w c"]:
    """Over all pixels and channels of an image: one group (Wu and He 2018, section 3.1)."""
    return group(replace(norms, groups=1), images, name, zero)


def none(
    norms: Norms, images: Float[Array, "b h w c"], name: str, zero: bool
) -> Float[Array, "b h w c"]:
    """The identity."""
    return images


def _scale_init(zero: bool) -> nn.initializers.Initializer:
    return nn.initializers.zeros if zero else nn.initializers.ones


Normalization = Callable[[Norms, Array, str, bool], Array]
"""From (what the norms share, images, a name, whether the scale starts at zero instead of one)."""

NORMALIZATIONS: dict[str, Normalization] = {
    "batch": batch,
    "group": group,
    "layer": layer,
    "none": none,
}
