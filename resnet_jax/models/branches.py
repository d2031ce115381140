"""Branches: the function F of a residual unit, as a sequence of convolutions.

He et al. 2015 (arXiv 1512.03385), Fig. 5; grouped, Xie et al. 2017 (arXiv 1611.05431), Fig. 3(c).
orders.py defines the layers between the convolutions. A new branch is a subclass of
`Branch` and an entry of `BRANCHES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.errors import UserError
from resnet_jax.models.initializers import fan_in_normal, he_normal


@dataclass(frozen=True)
class Convolution:
    """One convolution of a branch: output channels, kernel size, stride, groups."""

    features: int
    size: int
    stride: int = 1
    groups: int = 1


@dataclass(frozen=True)
class Branch:
    """Base class of the branches.

    Attributes:
      kernel_size: size of the convolutions that are 3x3 in the papers, odd.
      squeeze: reduction ratio of squeeze-and-excitation at the end of the branch; 0 for none.
      dropout: dropout rate between convolutions.
    """

    kernel_size: int = 3
    squeeze: int = 0
    dropout = 0.0  # subclasses with several convolutions make it a field

    def convolutions(self, width: int, stride: int) -> tuple[Convolution, ...]:
        """The convolutions of F, first to last.

        Args:
          width: channels of the stage; a bottleneck's output has four times as many.
          stride: stride of the unit.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Single(Branch):
    """One 3x3 convolution: "each shortcut skips 1 layer" (He et al. 2016, Table 3)."""

    def convolutions(self, width: int, stride: int) -> tuple[Convolution, ...]:
        return (Convolution(width, self.kernel_size, stride),)


@dataclass(frozen=True)
class Basic(Branch):
    """Two 3x3 convolutions, the first with the stride.

    Attributes:
      dropout: dropout rate between the two.
    """

    dropout: float = 0.0

    def convolutions(self, width: int, stride: int) -> tuple[Convolution, ...]:
        return (Convolution(width, self.kernel_size, stride), Convolution(width, self.kernel_size))


STRIDE_ON = {"conv1": 0, "conv2": 1}
"""The convolution of a bottleneck that has the stride: conv1 in the paper, conv2 in "v1.5"."""

EXPANSION = 4
"""Output channels of a bottleneck over those of its stage."""


@dataclass(frozen=True)
class Bottleneck(Branch):
    """1x1, 3x3 (in groups) and 1x1 convolutions, with 4 x width output channels.

    Attributes:
      dropout: dropout rate between convolutions.
      cardinality: groups of the 3x3 convolution, C in ResNeXt's C x d.
      width: channels of each group in a stage of 64 channels, d in C x d; proportional elsewhere.
      stride_on: a name of `STRIDE_ON`.
    """

    dropout: float = 0.0
    cardinality: int = 1
    width: int = 64
    stride_on: str = "conv1"

    def convolutions(self, width: int, stride: int) -> tuple[Convolution, ...]:
        inner = width * self.width // 64 * self.cardinality
        if not inner:
            raise UserError(
                f"bottleneck_width={self.width} leaves no channel in a stage of {width}: "
                f"it must be {-(-64 // width)} or more"
            )
        strides = [1, 1]
        strides[STRIDE_ON[self.stride_on]] = stride
        return (
            Convolution(inner, 1, strides[0]),
            Convolution(inner, self.kernel_size, strides[1], self.cardinality),
            Convolution(EXPANSION * width, 1),
        )


BRANCHES: Mapping[str, Branch] = {"single": Single(), "basic": Basic(), "bottleneck": Bottleneck()}


class SqueezeExcitation(nn.Module):
    """Multiplies each channel by a gate between 0 and 1 (Hu et al. 2018, arXiv 1709.01507).

    The gate is sigmoid(W2 relu(W1 z + b1) + b2), with z the mean over all pixels (eqs. 2 to 4; the
    biases are those of common implementations, and not in eq. 3). It is computed in float32.

    Attributes:
      reduction: channels of the input over those of the hidden layer (at least one).
    """

    reduction: int

    @nn.compact
    def __call__(self, images: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        channels = images.shape[-1]
        hidden = max(1, channels // self.reduction)
        squeezed = jnp.mean(images, axis=(1, 2), dtype=jnp.promote_types(images.dtype, jnp.float32))
        x = nn.relu(nn.Dense(hidden, kernel_init=he_normal, name="squeeze")(squeezed))
        x = nn.sigmoid(nn.Dense(channels, kernel_init=fan_in_normal(1.0), name="excite")(x))
        return images * x[:, None, None].astype(images.dtype)
