"""Squeeze and excitation: channels of a branch weighed by what all of the image holds."""

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.models.initializers import fan_in_normal, he_normal


class SqueezeExcitation(nn.Module):
    """Multiplies each channel by a number between 0 and 1 (Hu et al. 2018, arXiv 1709.01507).

    That is sigmoid(W2 relu(W1 z + b1) + b2), with z the mean over all pixels (eqs. 2 to 4; the
    biases stand in common implementations, and not in eq. 3).

    Attributes:
      reduction: the hidden layer has one of so many channels, and one at least.
    """

    reduction: int

    @nn.compact
    def __call__(self, images: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        """Weighs the channels, by numbers of float32 or more."""
        channels = images.shape[-1]
        hidden = max(1, channels // self.reduction)
        squeezed = jnp.mean(images, axis=(1, 2), dtype=jnp.promote_types(images.dtype, jnp.float32))
        x = nn.relu(nn.Dense(hidden, kernel_init=he_normal, name="squeeze")(squeezed))
        x = nn.sigmoid(nn.Dense(channels, kernel_init=fan_in_normal(1.0), name="excite")(x))
        return images * x[:, None, None].astype(images.dtype)
