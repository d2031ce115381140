"""The layers that every part of one network is made of, and the order in which they stand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.models.convolution import Conv
from resnet_jax.models.draws import he_normal

DTYPES = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}


@dataclass(frozen=True)
class Layers:
    """Makes the layers of one network: the settings that all of them share.

    Its methods are called inside a module's compact method, and what they make belongs to it.

    Attributes:
      normalization: a name of `NORMALIZATIONS`.
      momentum: share of the old running statistics that an update keeps.
      epsilon: added to the variance before its root is taken.
      axis_name: mapped axis over which batch statistics are averaged, if any.
      dtype: a name of `DTYPES`, that of the computation. Parameters and statistics are float32.
      train: whether to normalise by the batch's statistics, and to update the running ones.
    """

    normalization: str
    momentum: float
    epsilon: float
    axis_name: str | None
    dtype: str
    train: bool

    def conv(
        self,
        images: Float[Array, "b h w c"],
        features: int,
        size: int,
        stride: int = 1,
        *,
        name: str,
        zero: bool = False,
    ) -> Float[Array, "b p q o"]:
        """Convolves; `zero` starts the kernel at zero instead of He's normal."""
        init = nn.initializers.zeros if zero else he_normal
        return Conv(features, size, stride, init, DTYPES[self.dtype], name=name)(images)

    def apply(
        self,
        images: Float[Array, "b h w c"],
        steps: Sequence[str],
        *,
        norm: str = "norm",
        zero: bool = False,
    ) -> Float[Array, "b h w c"]:
        """Applies steps, each a name of `STEPS`, one after another.

        Args:
          images: what to apply them to.
          steps: their names, such as ("norm", "relu").
          norm: name of the normalisation among them.
          zero: whether its scale starts at zero instead of one.
        """
        for step in steps:
            images = STEPS[step](self, images, norm, zero)
        return images


def _batch_norm(
    layers: Layers, images: Float[Array, "b h w c"], name: str, zero: bool
) -> Float[Array, "b h w c"]:
    """Ioffe and Szegedy 2015 (arXiv 1502.03167), algorithm 1, the variance the biased one."""
    return nn.BatchNorm(
        use_running_average=not layers.train,
        momentum=layers.momentum,
        epsilon=layers.epsilon,
        dtype=DTYPES[layers.dtype],
        scale_init=nn.initializers.zeros if zero else nn.initializers.ones,
        axis_name=layers.axis_name,
        name=name,
    )(images)


def _no_norm(
    layers: Layers, images: Float[Array, "b h w c"], name: str, zero: bool
) -> Float[Array, "b h w c"]:
    return images


_Step = Callable[[Layers, Array, str, bool], Array]

NORMALIZATIONS: dict[str, _Step] = {"batch": _batch_norm, "none": _no_norm}

STEPS: dict[str, _Step] = {
    "norm": lambda layers, *given: NORMALIZATIONS[layers.normalization](layers, *given),
    "relu": lambda layers, images, *_: nn.relu(images),
}
