"""The layers that every part of one network is made of, and the order in which they stand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.models.convolution import Conv
from resnet_jax.models.draws import INITIALIZERS, times

DTYPES = {
    "float32": jnp.float32,
    "bfloat16": jnp.bfloat16,
    "float16": jnp.float16,
    "float64": jnp.float64,  # where JAX is allowed 64 bits (jax.enable_x64)
}


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
      initializer: a name of `INITIALIZERS`, that of the convolutions.
      biases: whether learnable scalars stand before layers, see `shift`.
      train: whether to normalise by the batch's statistics, and to update the running ones.
    """

    normalization: str
    momentum: float
    epsilon: float
    axis_name: str | None
    dtype: str
    initializer: str
    biases: bool
    train: bool

    def conv(
        self,
        images: Float[Array, "b h w c"],
        features: int,
        size: int,
        stride: int = 1,
        *,
        name: str,
        factor: float = 1.0,
    ) -> Float[Array, "b p q o"]:
        """Convolves; the initial kernel is multiplied by `factor`."""
        init = times(factor, INITIALIZERS[self.initializer])
        return Conv(features, size, stride, init, DTYPES[self.dtype], name=name)(images)

    def shift(self, images: Float[Array, "*shape"], *, name: str) -> Float[Array, "*shape"]:
        """Adds a learnable scalar, if this network has such."""
        return Shift(name=name)(images) if self.biases else images

    def apply(
        self,
        images: Float[Array, "b h w c"],
        steps: Sequence[str],
        *,
        at: str = "",
        zero: bool = False,
    ) -> Float[Array, "b h w c"]:
        """Applies steps, each a name of `STEPS`, one after another.

        Args:
          images: what to apply them to.
          steps: their names, such as ("norm", "relu").
          at: where in the module they stand, the end of their names: norm1 and so on.
          zero: whether the scale of a norm among them starts at zero instead of one.
        """
        for step in steps:
            images = STEPS[step](self, images, at, zero)
        return images


class Shift(nn.Module):
    """One learnable scalar, which starts at zero and is added to everything."""

    @nn.compact
    def __call__(self, images: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """Adds it."""
        bias = self.param("bias", nn.initializers.zeros, (), jnp.float32)
        return images + bias.astype(images.dtype)


def _batch_norm(
    layers: Layers, images: Float[Array, "b h w c"], at: str, zero: bool
) -> Float[Array, "b h w c"]:
    """Ioffe and Szegedy 2015 (arXiv 1502.03167), algorithm 1, the variance the biased one."""
    return nn.BatchNorm(
        use_running_average=not layers.train,
        momentum=layers.momentum,
        epsilon=layers.epsilon,
        dtype=DTYPES[layers.dtype],
        scale_init=nn.initializers.zeros if zero else nn.initializers.ones,
        axis_name=layers.axis_name,
        name=f"norm{at}",
    )(images)


def _no_norm(
    layers: Layers, images: Float[Array, "b h w c"], at: str, zero: bool
) -> Float[Array, "b h w c"]:
    return images


def _relu(
    layers: Layers, images: Float[Array, "b h w c"], at: str, zero: bool
) -> Float[Array, "b h w c"]:
    return nn.relu(layers.shift(images, name=f"before_relu{at}"))


_Step = Callable[[Layers, Array, str, bool], Array]

NORMALIZATIONS: dict[str, _Step] = {"batch": _batch_norm, "none": _no_norm}

STEPS: dict[str, _Step] = {
    "norm": lambda layers, *given: NORMALIZATIONS[layers.normalization](layers, *given),
    "relu": _relu,
}
