"""The layers that every part of one network is made of, and the order in which they stand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.models.activations import ACTIVATIONS
from resnet_jax.models.convolution import Conv
from resnet_jax.models.initializers import INITIALIZERS, times
from resnet_jax.models.norms import NORMALIZATIONS, Norms

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
      norms: what the norms have in common.
      activation: a name of `ACTIVATIONS`.
      dtype: a name of `DTYPES`, that of the computation. Parameters and statistics are float32.
      initializer: a name of `INITIALIZERS`, that of the convolutions.
      biases: whether learnable scalars stand before layers, see `shift`.
      dropout: rate of the dropout inside of branches.
      train: whether the network trains, which dropout and the like depend on.
    """

    normalization: str
    norms: Norms
    activation: str
    dtype: str
    initializer: str
    biases: bool
    dropout: float
    train: bool

    def conv(
        self,
        images: Float[Array, "b h w c"],
        features: int,
        size: int,
        stride: int = 1,
        groups: int = 1,
        *,
        name: str,
        factor: float = 1.0,
    ) -> Float[Array, "b p q o"]:
        """Convolves; the initial kernel is multiplied by `factor`."""
        init = times(factor, INITIALIZERS[self.initializer])
        dtype = DTYPES[self.dtype]
        return Conv(features, size, stride, groups, init, dtype, name=name)(images)

    def shift(self, images: Float[Array, "*shape"], *, name: str) -> Float[Array, "*shape"]:
        """Adds a learnable scalar, if this network has such."""
        return Shift(name=name)(images) if self.biases else images

    def drop(
        self, images: Float[Array, "*shape"], rate: float, *, name: str
    ) -> Float[Array, "*shape"]:
        """Dropout (Srivastava et al. 2014), by the random stream "dropout"; training alone drops.

        What is left is divided by 1 - rate, so that the expectation stays.
        """
        return nn.Dropout(rate, deterministic=not self.train, name=name)(images) if rate else images

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
          steps: their names, such as ("norm", "activation").
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


def _norm(
    layers: Layers, images: Float[Array, "b h w c"], at: str, zero: bool
) -> Float[Array, "b h w c"]:
    return NORMALIZATIONS[layers.normalization](layers.norms, images, f"norm{at}", zero)


def _activation(
    layers: Layers, images: Float[Array, "b h w c"], at: str, zero: bool
) -> Float[Array, "b h w c"]:
    shifted = layers.shift(images, name=f"before_activation{at}")
    return ACTIVATIONS[layers.activation](shifted)


def _dropout(
    layers: Layers, images: Float[Array, "b h w c"], at: str, zero: bool
) -> Float[Array, "b h w c"]:
    return layers.drop(images, layers.dropout, name=f"dropout{at}")


STEPS: dict[str, Callable[[Layers, Array, str, bool], Array]] = {
    "norm": _norm,
    "activation": _activation,
    "dropout": _dropout,
}
