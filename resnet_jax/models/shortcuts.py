"""Shortcuts: the function h of a unit, by name.

A shortcut sees the unit's input twice: raw, and after the order's opening. Identities carry the raw
input on; projections read the opened one, as the branch does (He et al. 2016, section 4.1). Where a
unit changes the shape, an identity is option A's.

A new one is a function here and an entry of `SHORTCUTS`. A number of its own is a closure over it;
one that the config has already is named in `READ_BY`. Parameters are those of a Linen module that
the function calls by the name "shortcut" or "gate": under another, its kernels would count as
layers of the network's depth.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

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
      gate_bias: where the bias of a gate starts.
      dropout: rate of the shortcut "dropout".
      layers: maker of the network's layers.
    """

    features: int
    stride: int
    order: Order
    scale: float
    gate_bias: float
    dropout: float
    layers: Layers

    def changes_shape(self, images: Float[Array, "b h w c"]) -> bool:
        """Whether the branch's output differs in shape from these images."""
        return self.stride != 1 or images.shape[-1] != self.features


class Gated(NamedTuple):
    """A shortcut that has a say in the branch too.

    Attributes:
      shortcut: what is added.
      share: what the branch is multiplied by before that.
    """

    shortcut: Float[Array, "b p q o"]
    share: Float[Array, "b p q o"]


Shortcut = Callable[[Array, Array, Junction], Array | Gated]
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
    """Option C: a projection in every unit, the "1x1 conv shortcut" of He et al. 2016, Table 1."""
    return Projection(junction, name="shortcut")(opened)


def pool_and_project(
    images: Float[Array, "b h w c"], opened: Float[Array, "b h w c"], junction: Junction
) -> Float[Array, "b p q o"]:
    """ResNet-D: as option B, but a mean of 2x2 pixels in place of the projection's stride.

    He et al. 2019 (arXiv 1812.01187), Fig. 2(c): a stride would leave out three of four pixels.
    """
    if not junction.changes_shape(images):
        return images
    return Projection(junction, pools=True, name="shortcut")(opened)


def add_projection(
    images: Float[Array, "b h w c"], opened: Float[Array, "b h w c"], junction: Junction
) -> Float[Array, "b p q o"]:
    """The identity plus a projection."""
    return pad(images, opened, junction) + project(images, opened, junction)


def scale(
    images: Float[Array, "b h w c"], opened: Float[Array, "b h w c"], junction: Junction
) -> Float[Array, "b p q o"]:
    """h(x) = lambda x (He et al. 2016, eq. 5, and section 3.1 with lambda 0.5)."""
    return junction.scale * pad(images, opened, junction)


def gate_both(
    images: Float[Array, "b h w c"], opened: Float[Array, "b h w c"], junction: Junction
) -> Gated:
    """Exclusive gating: (1 - g(x)) x, and g(x) F(x) (He et al. 2016, section 3.1, Fig. 2(c)).

    The gate g(x) = sigmoid(W x + b) is that of Highway Networks (Srivastava et al. 2015).
    """
    share = Gate(junction, name="gate")(images)
    return Gated((1 - share) * pad(images, opened, junction), share)


def gate(
    images: Float[Array, "b h w c"], opened: Float[Array, "b h w c"], junction: Junction
) -> Float[Array, "b p q o"]:
    """Shortcut-only gating: (1 - g(x)) x, and F as it is (He et al. 2016, Fig. 2(d))."""
    return gate_both(images, opened, junction).shortcut


def drop(
    images: Float[Array, "b h w c"], opened: Float[Array, "b h w c"], junction: Junction
) -> Float[Array, "b p q o"]:
    """Dropout on the identity (He et al. 2016, section 3.1, Fig. 2(f), at a rate of 0.5)."""
    shortcut = pad(images, opened, junction)
    return junction.layers.drop(shortcut, junction.dropout, name="shortcut_dropout")


class Projection(nn.Module):
    """A 1x1 convolution, with a norm after it if the order's branches end in one.

    Attributes:
      junction: what it has to meet.
      pools: whether a mean of pixels takes the place of the stride.
    """

    junction: Junction
    pools: bool = False

    @nn.compact
    def __call__(self, images: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """Projects to the shape of the branch's output."""
        to, stride = self.junction, self.junction.stride
        if self.pools and stride != 1:
            images, stride = _mean_of_pixels(images, stride), 1
        images = to.layers.conv(images, to.features, 1, stride, name="conv")
        norms = [step for step in to.order.closing if step == "norm"]
        return to.layers.apply(images, norms)


class Gate(nn.Module):
    """g(x) = sigmoid(W x + b), a 1x1 convolution with a bias for each channel."""

    junction: Junction

    @nn.compact
    def __call__(self, images: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """The gate, of the shape of the branch's output."""
        to = self.junction
        start = nn.initializers.constant(to.gate_bias)
        bias = self.param("bias", start, (to.features,), jnp.float32)
        x = to.layers.conv(images, to.features, 1, to.stride, name="conv")
        return nn.sigmoid(x + bias.astype(x.dtype))


def _mean_of_pixels(images: Float[Array, "b h w c"], stride: int) -> Float[Array, "b p q c"]:
    """Means of stride x stride pixels, of fewer at an edge, where the sides are no multiples."""
    window = (stride, stride)
    padding = tuple((0, -side % stride) for side in images.shape[1:3])
    return nn.avg_pool(images, window, window, padding, count_include_pad=False)


SHORTCUTS: dict[str, Shortcut] = {
    "none": none,
    "A": pad,
    "B": project_where_needed,
    "C": project,
    "D": pool_and_project,
    "scaled": scale,
    "identity_plus_conv": add_projection,
    "exclusive_gating": gate_both,
    "shortcut_only_gating": gate,
    "dropout": drop,
}

READ_BY: dict[str, tuple[str, ...]] = {
    "shortcut_scale": ("scaled",),
    "gate_bias": ("exclusive_gating", "shortcut_only_gating"),
    "shortcut_dropout": ("dropout",),
}
"""The shortcuts that each number of the config is for; with others it would have no effect."""
