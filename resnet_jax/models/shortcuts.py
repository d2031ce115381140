"""Shortcuts: the function h of a residual unit.

A shortcut is a function of the unit's input x, the preactivated input (norm and ReLU of x in a
pre-activation order, else x itself) and a `ShortcutContext`. It returns h(x), of the shape and
dtype of the branch. Identities read x; projections read the preactivated input, as the branch does
(He et al. 2016, section 4.1). Where a unit changes the shape, identities are zero-padded (option A
of He et al. 2015).

A new shortcut is a function here, or a frozen dataclass with `__call__` if it has options,
and an entry of `SHORTCUTS`. Its parameters belong in a Linen module named "shortcut" or "gate",
which `summarize` excludes from the network's depth.
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


@dataclass(frozen=True)
class ShortcutContext:
    """What a shortcut is told about its unit.

    Attributes:
      features: output channels of the branch.
      stride: stride of the unit.
      post_norm: whether the branch ends in a norm; a projection then does too.
      layers: the network's layers.
    """

    features: int
    stride: int
    post_norm: bool
    layers: Layers

    def changes_shape(self, x: Float[Array, "b h w c"]) -> bool:
        """Whether the branch's output has another shape than x."""
        return self.stride != 1 or x.shape[-1] != self.features


class GatedTerms(NamedTuple):
    """Result of a shortcut that also gates the branch: y = shortcut + branch_gate F(x).

    Attributes:
      shortcut: h(x).
      branch_gate: what the branch is multiplied by.
    """

    shortcut: Float[Array, "b p q o"]
    branch_gate: Float[Array, "b p q o"]


Shortcut = Callable[[Array, Array, ShortcutContext], Array | GatedTerms]
"""Maps (input, preactivated input, context) to h(x), or to `GatedTerms`."""


def none(
    x: Float[Array, "b h w c"], preactivated: Float[Array, "b h w c"], context: ShortcutContext
) -> Float[Array, ""]:
    """h(x) = 0: a plain network."""
    return jnp.zeros((), x.dtype)


def identity(
    x: Float[Array, "b h w c"], preactivated: Float[Array, "b h w c"], context: ShortcutContext
) -> Float[Array, "b p q o"]:
    """Option A: h(x) = x; with a stride, every stride-th pixel; new channels are zero."""
    stride, missing = context.stride, context.features - x.shape[-1]
    if missing < 0:
        raise UserError(
            f"shortcut A cannot take {x.shape[-1]} channels to {context.features}: "
            "let widths grow, or choose shortcut B"
        )
    return jnp.pad(x[:, ::stride, ::stride], ((0, 0), (0, 0), (0, 0), (0, missing)))


def project_on_change(
    x: Float[Array, "b h w c"], preactivated: Float[Array, "b h w c"], context: ShortcutContext
) -> Float[Array, "b p q o"]:
    """Option B: a projection where the shape changes, else the identity."""
    if context.changes_shape(x):
        return project(x, preactivated, context)
    return x


def project(
    x: Float[Array, "b h w c"], preactivated: Float[Array, "b h w c"], context: ShortcutContext
) -> Float[Array, "b p q o"]:
    """Option C: a projection in every unit ("1x1 conv shortcut", He et al. 2016, Table 1)."""
    return Projection(context, name="shortcut")(preactivated)


def pool_and_project(
    x: Float[Array, "b h w c"], preactivated: Float[Array, "b h w c"], context: ShortcutContext
) -> Float[Array, "b p q o"]:
    """ResNet-D: as option B, with 2x2 average pooling instead of the projection's stride.

    A strided 1x1 convolution ignores three of four pixels (He et al. 2019, arXiv 1812.01187,
    Fig. 2(c)).
    """
    if not context.changes_shape(x):
        return x
    return Projection(context, pools=True, name="shortcut")(preactivated)


def identity_plus_projection(
    x: Float[Array, "b h w c"], preactivated: Float[Array, "b h w c"], context: ShortcutContext
) -> Float[Array, "b p q o"]:
    """The identity plus a projection."""
    return identity(x, preactivated, context) + project(x, preactivated, context)


@dataclass(frozen=True)
class Scaled:
    """h(x) = lambda x (He et al. 2016, eq. 5; section 3.1 has lambda = 0.5).

    Attributes:
      factor: lambda.
    """

    factor: float = 1.0

    def __call__(
        self,
        x: Float[Array, "b h w c"],
        preactivated: Float[Array, "b h w c"],
        context: ShortcutContext,
    ) -> Float[Array, "b p q o"]:
        return self.factor * identity(x, preactivated, context)


@dataclass(frozen=True)
class Gated:
    """h(x) = (1 - g(x)) x (He et al. 2016, section 3.1).

    The gate g(x) = sigmoid(W x + b) is that of Highway Networks (Srivastava et al. 2015).

    Attributes:
      bias: initial value of b.
      gates_branch: whether the branch becomes g(x) F(x), "exclusive gating" (Fig. 2(c)), or stays
        F(x), "shortcut-only gating" (Fig. 2(d)).
    """

    bias: float = -6.0
    gates_branch: bool = True

    def __call__(
        self,
        x: Float[Array, "b h w c"],
        preactivated: Float[Array, "b h w c"],
        context: ShortcutContext,
    ) -> Float[Array, "b p q o"] | GatedTerms:
        gate = Gate(self.bias, context, name="gate")(x)
        shortcut = (1 - gate) * identity(x, preactivated, context)
        return GatedTerms(shortcut, branch_gate=gate) if self.gates_branch else shortcut


@dataclass(frozen=True)
class Dropout:
    """Dropout on the identity (He et al. 2016, section 3.1, Fig. 2(f)).

    Attributes:
      rate: fraction of the values that are zeroed.
    """

    rate: float = 0.5

    def __call__(
        self,
        x: Float[Array, "b h w c"],
        preactivated: Float[Array, "b h w c"],
        context: ShortcutContext,
    ) -> Float[Array, "b p q o"]:
        shortcut = identity(x, preactivated, context)
        return context.layers.drop(shortcut, self.rate, name="shortcut_dropout")


SHORTCUTS: dict[str, Shortcut] = {
    "none": none,
    "A": identity,
    "B": project_on_change,
    "C": project,
    "D": pool_and_project,
    "scaled": Scaled(),
    "identity_plus_conv": identity_plus_projection,
    "exclusive_gating": Gated(),
    "shortcut_only_gating": Gated(gates_branch=False),
    "dropout": Dropout(),
}


class Projection(nn.Module):
    """A 1x1 convolution, with a norm after it if the branch ends in one.

    Attributes:
      context: the shape that the output must have, and the network's layers.
      pools: whether to downsample by average pooling instead of a stride.
    """

    context: ShortcutContext
    pools: bool = False

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        stride, layers = self.context.stride, self.context.layers
        if self.pools and stride != 1:
            x, stride = _average_pool(x, stride), 1
        x = layers.conv(x, self.context.features, 1, stride, name="conv")
        return layers.apply(x, ("norm",)) if self.context.post_norm else x


class Gate(nn.Module):
    """g(x) = sigmoid(W x + b), with W a 1x1 convolution and b one bias per channel.

    Attributes:
      bias: initial value of b.
      context: the shape that the output must have, and the network's layers.
    """

    bias: float
    context: ShortcutContext

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        features, stride = self.context.features, self.context.stride
        init = nn.initializers.constant(self.bias)
        bias = self.param("bias", init, (features,), jnp.float32)
        x = self.context.layers.conv(x, features, 1, stride, name="conv")
        return nn.sigmoid(x + bias.astype(x.dtype))


def _average_pool(x: Float[Array, "b h w c"], stride: int) -> Float[Array, "b p q c"]:
    """Average pooling of stride x stride pixels; at an edge, of those inside the image."""
    window = (stride, stride)
    padding = tuple((0, -side % stride) for side in x.shape[1:3])
    return nn.avg_pool(x, window, window, padding, count_include_pad=False)
