"""The two ends of a network: the stems that images enter by, and the head that classifies."""

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.models.initializers import fan_in_normal, times
from resnet_jax.models.layers import Layers


class CifarStem(nn.Module):
    """A 3x3 convolution, norm and activation, for small images (He et al. 2015, section 4.2).

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
        return self.layers.apply(x, ("norm", "activation"))


class ImageNetStem(nn.Module):
    """A 7x7 convolution of stride 2, norm, activation, 3x3 max-pooling (He et al. 2015, Table 1).

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
        x = self.layers.apply(x, ("norm", "activation"))
        return _halve(x)


class DeepStem(nn.Module):
    """ImageNet's stem with three 3x3 convolutions in place of the 7x7 one.

    He et al. 2019 (arXiv 1812.01187), Fig. 2(b): 32 channels, 32 and 64, the stride on the first.

    Attributes:
      features: channels of the output; half as many inside.
      layers: maker of the network's layers.
    """

    features: int
    layers: Layers

    @nn.compact
    def __call__(self, images: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """Maps images to the input of the first unit, at a quarter of their height and width."""
        half = max(1, self.features // 2)
        x = images
        for number, (features, stride) in enumerate([(half, 2), (half, 1), (self.features, 1)]):
            x = self.layers.conv(x, features, 3, stride, name=f"conv{number + 1}")
            x = self.layers.apply(x, ("norm", "activation"), at=f"{number + 1}")
        return _halve(x)


class NoStem(nn.Module):
    """The identity: the first unit meets the image itself.

    Attributes:
      features: of no account.
      layers: of no account.
    """

    features: int
    layers: Layers

    @nn.compact
    def __call__(self, images: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        """Hands the images on."""
        return images


def _halve(x: Float[Array, "b h w c"]) -> Float[Array, "b p q c"]:
    """3x3 max-pooling of stride 2."""
    return nn.max_pool(x, (3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))


Stem = type[CifarStem] | type[ImageNetStem] | type[DeepStem] | type[NoStem]

STEMS: dict[str, Stem] = {
    "cifar": CifarStem,
    "imagenet": ImageNetStem,
    "deep": DeepStem,
    "none": NoStem,
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
