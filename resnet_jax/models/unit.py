"""The residual unit: y = h(x) + s F(x), x' = f(y) (He et al. 2016, eqs. 1 and 2, with s = 1)."""

from dataclasses import dataclass

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.errors import UserError
from resnet_jax.models.branches import Branch, SqueezeExcitation
from resnet_jax.models.layers import Layers
from resnet_jax.models.norms import no_norm
from resnet_jax.models.orders import Order
from resnet_jax.models.residual_scaling import ResidualScaling
from resnet_jax.models.shortcuts import SHORTCUTS, GatedTerms, Shortcut, ShortcutContext, none
from resnet_jax.models.stochastic_depth import survive


@dataclass(frozen=True)
class BlockSpec:
    """The settings that differ between the units of a network.

    Attributes:
      width: channels of its stage.
      stride: its stride.
      first: whether it is the network's first unit, which has no pre-activation (the stem has
        applied it) and no dropout on its input.
      survival: probability that a training step keeps the branch (stochastic depth).
    """

    width: int
    stride: int
    first: bool
    survival: float


class Unit(nn.Module):
    """A residual unit, with a shortcut h, a branch F, a scale s and an after-addition f.

    Attributes:
      shortcut: h.
      branch: F.
      order: the positions of norms and activations, and f.
      scaling: s.
      spec: the settings that differ between units.
      layers: the network's layers.
      kernel_factor: factor of the branch's initial kernels.
      zero_init: whether F = 0 at initialization.
      dropout: dropout rate on the unit's input.
    """

    shortcut: Shortcut
    branch: Branch
    order: Order
    scaling: ResidualScaling
    spec: BlockSpec
    layers: Layers
    kernel_factor: float = 1.0
    zero_init: bool = False
    dropout: float = 0.0

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        if not self.spec.first:
            x = self.layers.drop(x, self.dropout, name="dropout")
        preactivated = self._preactivate(x)
        h = self.shortcut(x, preactivated, self._context())
        f = self.residual(preactivated)
        terms = (h.shortcut, h.branch_gate * f) if isinstance(h, GatedTerms) else (h, f)
        self._check_terms(terms, f)
        y = terms[0] + terms[1]
        return self.layers.apply(y, self.order.after_addition, suffix="_after_addition")

    def residual(self, preactivated: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """s F(x); an interceptor replaces this method to remove or rescale the branch."""
        branch = self.scaling.scale(self._branch(preactivated), self)
        return survive(branch, self.spec.survival, self, self.layers.mode.train)

    def _preactivate(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        """The input of the branch and of projections."""
        if not self.spec.first:
            x = self.layers.apply(x, self.order.pre, suffix=self.order.suffix(0))
        return self.layers.shift(x, name="before_conv1")

    def _branch(self, x: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """F after the pre-activation."""
        convolutions = self.branch.convolutions(self.spec.width, self.spec.stride)
        for number, conv in enumerate(convolutions, start=1):
            zero = self.zero_init and number == len(convolutions)
            if number > 1:
                x = self.layers.shift(x, name=f"before_conv{number}")
            x = self.layers.conv(
                x,
                conv.features,
                conv.size,
                conv.stride,
                conv.groups,
                name=f"conv{number}",
                factor=0.0 if zero and not self._ends_in_norm else self.kernel_factor,
            )
            ops = self.order.after(number, len(convolutions))
            x = self.layers.apply(
                x,
                ops,
                suffix=self.order.suffix(number),
                zero_scale=zero and self._ends_in_norm,
            )
        squeeze = self.branch.squeeze
        return SqueezeExcitation(squeeze, name="attention")(x) if squeeze else x

    def _context(self) -> ShortcutContext:
        features = self.branch.convolutions(self.spec.width, self.spec.stride)[-1].features
        post_norm = "norm" in self.order.post
        return ShortcutContext(features, self.spec.stride, post_norm, self.layers)

    @property
    def _ends_in_norm(self) -> bool:
        return "norm" in self.order.post and self.layers.norm is not no_norm

    def _check_terms(self, terms: tuple[Array | float, Array], branch: Array) -> None:
        """Raises a `UserError` if the addition would broadcast a term or change its dtype."""
        if self.shortcut is none or not jnp.ndim(branch):  # the sum has one term
            return
        expected, *found = (_described(each) for each in (branch, *terms))
        for each in found:
            if each != expected:
                names = [name for name, h in SHORTCUTS.items() if h == self.shortcut]
                shortcut = repr(names[0] if names else self.shortcut)
                raise UserError(
                    f"{'/'.join(self.path)}: shortcut {shortcut} gives {each} where the branch has "
                    f"{expected}; both terms of the sum need its shape and dtype"
                )


def _described(term: Array | float) -> str:
    """`2x8x8x16 float32`; a custom shortcut may return a plain number."""
    shape = "x".join(map(str, jnp.shape(term))) or "a single number,"
    return f"{shape} {jnp.result_type(term)}"
