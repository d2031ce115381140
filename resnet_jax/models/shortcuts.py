"""Shortcuts: the function h of a unit, among them options A, B and C of He et al. 2015.

A shortcut sees the unit's input twice: raw, and after the order's opening. Identities carry the raw
input on; projections read the opened one, as the branch does (He et al. 2016, section 4.1).
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.errors import UserError
from resnet_jax.models.layers import Layers
from resnet_jax.models.orders import Order


@dataclass(frozen=True)
class Junction:
    """What a shortcut has to meet at the addition.

    Attributes:
      features: channels of the branch's output.
      stride: the unit's stride.
      order: the unit's order; a projection ends in a norm where the branch does.
      scale: what the shortcut "scaled" multiplies by.
      layers: maker of the network's layers.
    """

    features: int
    stride: int
    order: Order
    scale: float
    layers: Layers

    def changes_shape(self, images: Float[Array, "b h w c"]) -> bool:
        """Whether the branch's output differs in shape from these images."""
        return self.stride != 1 or images.shape[-1] != self.features


Shortcut = Callable[[Array, Array, Junction], Array]
"""From (input, opened input, junction) to what is added to the branch's output."""


def none(
    images: Float[Array, "b h w c"], opened: Float[Array, "b h w c"], junction: Junction
) -> Float[Array, ""]:
    """h = 0, a plain net."""
    return jnp.zeros((), images.dtype)


def pad(
    images: Float[Array, "b h w c"], opened: Float[Array, "b h w c"], junction: Junction
) -> Float[Array, "b p q o"]:
    """Option A: the identity, every stride-th pixel of it, new channels filled with zeros."""
    stride, missing = junction.stride, junction.features - images.shape[-1]
    if missing < 0:
        raise UserError(
            f"shortcut A cannot take {images.shape[-1]} channels to {junction.features}: "
            "let widths grow, or choose shortcut B"
        )
    return jnp.pad(images[:, ::stride, ::stride], ((0, 0), (0, 0), (0, 0), (0, missing)))


def scale(
    images: Float[Array, "b h w c"], opened: Float[Array, "b h w c"], junction: Junction
) -> Float[Array, "b p q o"]:
    """h(x) = lambda x, of option A (He et al. 2016, eq. 5, and section 3.1 with lambda 0.5)."""
    return junction.scale * pad(images, opened, junction)


def project_where_needed(
    images: Float[Array, "b h w c"], opened: Float[Array, "b h w c"], junction: Junction
) -> Float[Array, "b p q o"]:
    """Option B: the identity, or a projection where shapes change."""
    if junction.changes_shape(images):
        return project(images, opened, junction)
    return images


def project(
    images: Float[Array, "b h w c"], opened: Float[Array, "b h w c"], junction: Junction
) -> Float[Array, "b p q o"]:
    """Option C: a projection."""
    return Projection(junction, name="shortcut")(opened)


class Projection(nn.Module):
    """A 1x1 convolution, with a norm after it if the order's branches end in one."""

    junction: Junction

    @nn.compact
    def __call__(self, images: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """Projects to the shape of the branch's output."""
        to = self.junction
        images = to.layers.conv(images, to.features, 1, to.stride, name="conv")
        norms = [step for step in to.order.closing if step == "norm"]
        return to.layers.apply(images, norms)


SHORTCUTS: dict[str, Shortcut] = {
    "none": none,
    "A": pad,
    "B": project_where_needed,
    "C": project,
    "scaled": scale,
}
