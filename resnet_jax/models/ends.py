"""The two ends of a network: the stems that images enter by, and the head that classifies."""

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.models.draws import fan_in_normal, times
from resnet_jax.models.layers import Layers


class CifarStem(nn.Module):
    """A 3x3 convolution, norm and ReLU, for small images (He et al. 2015, section 4.2).

    Attributes:
      features: channels of the output.
      layers: maker of the network's layers.
    """

    features: int
    layers: Layers

    @nn.compact
    def __call__(self, images: Float[Array, "b h w c"]) -> Float[Array, "b h w o"]:
        """Maps images to the input of the first unit, of the same height and width."""
        x = self.layers.conv(images, self.features, 3, name="conv")
        return self.layers.apply(x, ("norm", "relu"))


class ImageNetStem(nn.Module):
    """A 7x7 convolution of stride 2, norm, ReLU, 3x3 max-pooling (He et al. 2015, Table 1).

    Attributes:
      features: channels of the output.
      layers: maker of the network's layers.
    """

    features: int
    layers: Layers

    @nn.compact
    def __call__(self, images: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """Maps images to the input of the first unit, at a quarter of their height and width."""
        x = self.layers.conv(images, self.features, 7, stride=2, name="conv")
        x = self.layers.apply(x, ("norm", "relu"))
        return nn.max_pool(x, (3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))


STEMS: dict[str, type[CifarStem] | type[ImageNetStem]] = {
    "cifar": CifarStem,
    "imagenet": ImageNetStem,
}


class Head(nn.Module):
    """The last activation if the order needs one, global average pooling, a dense layer.

    The dense kernel is normal with standard deviation sqrt(1 / (3 fan_in)), the one of PyTorch's
    linear layers; the bias is zero. In original order the last unit's output grows with depth, and
    with He's deviation a ResNet-110 would start at more than twice the loss of a guess.

    Attributes:
      classes: number of logits.
      opening: steps that the order puts before a branch, owed here to the last addition.
      zero_init: whether the dense kernel starts at zero instead.
      layers: maker of the network's layers.
    """

    classes: int
    opening: tuple[str, ...]
    zero_init: bool
    layers: Layers

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b classes"]:
        """Maps the last unit's output to logits, pooling and product in float32 or more."""
        x = self.layers.apply(x, self.opening)
        pooled = jnp.mean(x, axis=(1, 2), dtype=jnp.promote_types(x.dtype, jnp.float32))
        pooled = self.layers.shift(pooled, name="before_dense")
        init = times(0.0 if self.zero_init else 1.0, fan_in_normal(1 / 3))
        return nn.Dense(self.classes, kernel_init=init, name="dense")(pooled)
