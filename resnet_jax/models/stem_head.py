"""The first and last part of a network: the stem before the stages, the head after them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.models.initializers import fan_in_normal, times
from resnet_jax.models.layers import Layers


@runtime_checkable
class StemLayers(Protocol):
    """The layers of a stem.

    Attributes:
      image_shape: (height, width, channels) of the images it is designed for.
    """

    image_shape: ClassVar[tuple[int, int, int]]

    def __call__(
        self, images: Float[Array, "b h w c"], width: int, layers: Layers
    ) -> Float[Array, "b p q o"]:
        """Maps images to the input of the first unit, with `width` channels by default."""


@dataclass(frozen=True)
class CifarStem:
    """A 3x3 convolution, norm and activation, for small images (He et al. 2015, section 4.2).

    Attributes:
      width: output channels; 0 for those of the first stage.
    """

    width: int = 0
    image_shape: ClassVar[tuple[int, int, int]] = (32, 32, 3)

    def __call__(
        self, images: Float[Array, "b h w c"], width: int, layers: Layers
    ) -> Float[Array, "b h w o"]:
        x = layers.conv(images, self.width or width, 3, name="conv")
        return layers.apply(x, ("norm", "activation"))


@dataclass(frozen=True)
class ImageNetStem:
    """7x7 convolution of stride 2, norm, activation, 3x3 max-pooling (He et al. 2015, Table 1).

    Attributes:
      width: output channels; 0 for those of the first stage.
    """

    width: int = 0
    image_shape: ClassVar[tuple[int, int, int]] = (224, 224, 3)

    def __call__(
        self, images: Float[Array, "b h w c"], width: int, layers: Layers
    ) -> Float[Array, "b p q o"]:
        x = layers.conv(images, self.width or width, 7, stride=2, name="conv")
        return _max_pool(layers.apply(x, ("norm", "activation")))


@dataclass(frozen=True)
class DeepStem:
    """The ImageNet stem of ResNet-D, with three 3x3 convolutions instead of the 7x7 one.

    He et al. 2019 (arXiv 1812.01187), Fig. 2(b): 32, 32 and 64 channels, the stride on the first.

    Attributes:
      width: output channels, of which the first two convolutions have half; 0 for those of the
        first stage.
    """

    width: int = 0
    image_shape: ClassVar[tuple[int, int, int]] = (224, 224, 3)

    def __call__(
        self, images: Float[Array, "b h w c"], width: int, layers: Layers
    ) -> Float[Array, "b p q o"]:
        features = self.width or width
        half = max(1, features // 2)
        x = images
        for number, (channels, stride) in enumerate([(half, 2), (half, 1), (features, 1)], start=1):
            x = layers.conv(x, channels, 3, stride, name=f"conv{number}")
            x = layers.apply(x, ("norm", "activation"), suffix=f"{number}")
        return _max_pool(x)


@dataclass(frozen=True)
class NoStem:
    """No stem: the first unit reads the image."""

    image_shape: ClassVar[tuple[int, int, int]] = (32, 32, 3)

    def __call__(
        self, images: Float[Array, "b h w c"], width: int, layers: Layers
    ) -> Float[Array, "b h w c"]:
        return images


def _max_pool(x: Float[Array, "b h w c"]) -> Float[Array, "b p q c"]:
    """3x3 max-pooling of stride 2."""
    return nn.max_pool(x, (3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))


STEMS: Mapping[str, StemLayers] = {
    "cifar": CifarStem(),
    "imagenet": ImageNetStem(),
    "deep": DeepStem(),
    "none": NoStem(),
}


class Stem(nn.Module):
    """Maps images to the input of the first unit.

    Attributes:
      stem: the layers.
      width: channels of the first stage.
      layers: the network's layers.
    """

    stem: StemLayers
    width: int
    layers: Layers

    @nn.compact
    def __call__(self, images: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        return self.stem(images, self.width, self.layers)


class Head(nn.Module):
    """Global average pooling and a dense layer, in float32 (or float64 if that is the dtype).

    In a pre-activation network, the final norm and activation come first.

    The dense kernel is normal with standard deviation sqrt(1 / (3 fan_in)), as in PyTorch's linear
    layers, and the bias is zero. In the original order the output of the last unit grows with
    depth: with He initialization of the dense layer, the initial loss of a ResNet-110 would be more
    than twice that of uniform predictions.

    Attributes:
      classes: number of logits.
      pre: the order's pre-activation layers, applied to the output of the last unit.
      zero_init: whether the dense kernel starts at zero instead.
      layers: the network's layers.
    """

    classes: int
    pre: tuple[str, ...]
    zero_init: bool
    layers: Layers

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b classes"]:
        x = self.layers.apply(x, self.pre)
        pooled = jnp.mean(x, axis=(1, 2), dtype=jnp.promote_types(x.dtype, jnp.float32))
        pooled = self.layers.shift(pooled, name="before_dense")
        init = times(0.0 if self.zero_init else 1.0, fan_in_normal(1 / 3))
        return nn.Dense(self.classes, kernel_init=init, name="dense")(pooled)
