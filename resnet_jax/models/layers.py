"""The layers that stem, units and head of one network share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import DTypeLike, Float

from resnet_jax.models.convolution import Conv
from resnet_jax.models.initializers import Initializer, times
from resnet_jax.models.norms import Mode, Norm

Activation = Callable[[Array], Array]
"""An elementwise nonlinearity."""

ACTIVATIONS: Mapping[str, Activation] = {
    "relu": nn.relu,
    "leaky_relu": nn.leaky_relu,  # slope 0.01 below zero (Maas et al. 2013)
    "elu": nn.elu,  # alpha 1 (Clevert et al. 2016, arXiv 1511.07289)
    "gelu": partial(nn.gelu, approximate=False),  # Hendrycks and Gimpel 2016, arXiv 1606.08415
    "swish": nn.swish,  # x sigmoid(x) (Ramachandran et al. 2017, arXiv 1710.05941)
    "tanh": nn.tanh,
}
"""With all of them, initializers use the gain of ReLU."""

DTYPES: Mapping[str, DTypeLike] = {
    "float32": jnp.float32,
    "bfloat16": jnp.bfloat16,
    "float16": jnp.float16,
    "float64": jnp.float64,  # needs jax.enable_x64
}


@dataclass(frozen=True)
class Layers:
    """Makes the layers of one network.

    Its methods are called inside a module's compact method; the layers become its submodules.

    Attributes:
      norm: the normalization layer.
      activation: the nonlinearity.
      initializer: initializer of the convolution kernels.
      mode: training or evaluation, and dtype.
      dropout: dropout rate between the convolutions of a branch.
      biases: whether `shift` adds learnable scalars (Fixup).
    """

    norm: Norm
    activation: Activation
    initializer: Initializer
    mode: Mode
    dropout: float = 0.0
    biases: bool = False

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
        """A convolution whose initial kernel is multiplied by `factor`."""
        init = times(factor, self.initializer)
        return Conv(features, size, stride, groups, init, self.mode.dtype, name=name)(images)

    def shift(self, images: Float[Array, "*shape"], *, name: str) -> Float[Array, "*shape"]:
        """Adds a learnable scalar if the network has `biases`, else returns the input."""
        return Shift(name=name)(images) if self.biases else images

    def drop(
        self, images: Float[Array, "*shape"], rate: float, *, name: str
    ) -> Float[Array, "*shape"]:
        """Dropout (Srivastava et al. 2014), active in training only.

        Kept values are divided by 1 - rate. Random numbers come from the stream "dropout".
        """
        if not rate:
            return images
        return nn.Dropout(rate, deterministic=not self.mode.train, name=name)(images)

    def apply(
        self,
        images: Float[Array, "b h w c"],
        ops: Sequence[str],
        *,
        suffix: str = "",
        zero_scale: bool = False,
    ) -> Float[Array, "b h w c"]:
        """Applies layers one after another.

        Args:
          images: the input.
          ops: names of `LAYER_OPS`, such as ("norm", "activation").
          suffix: appended to the submodules' names: "1" for norm1.
          zero_scale: initialize the scale of a norm with zeros instead of ones.
        """
        for op in ops:
            images = LAYER_OPS[op](self, images, suffix, zero_scale)
        return images


class Shift(nn.Module):
    """Adds one learnable scalar, initially zero, to every element."""

    @nn.compact
    def __call__(self, images: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        bias = self.param("bias", nn.initializers.zeros, (), jnp.float32)
        return images + bias.astype(images.dtype)


def _norm(
    layers: Layers, images: Float[Array, "b h w c"], suffix: str, zero_scale: bool
) -> Float[Array, "b h w c"]:
    init = nn.initializers.zeros if zero_scale else nn.initializers.ones
    return layers.norm(images, layers.mode, name=f"norm{suffix}", scale_init=init)


def _activation(
    layers: Layers, images: Float[Array, "b h w c"], suffix: str, zero_scale: bool
) -> Float[Array, "b h w c"]:
    return layers.activation(layers.shift(images, name=f"before_activation{suffix}"))


def _dropout(
    layers: Layers, images: Float[Array, "b h w c"], suffix: str, zero_scale: bool
) -> Float[Array, "b h w c"]:
    return layers.drop(images, layers.dropout, name=f"dropout{suffix}")


LAYER_OPS: Mapping[str, Callable[[Layers, Array, str, bool], Array]] = {
    "norm": _norm,
    "activation": _activation,
    "dropout": _dropout,
}
"""The layers that an activation order names, see orders.py."""
