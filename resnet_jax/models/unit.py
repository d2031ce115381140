"""The residual unit: y = h(x) + s F(x), x' = f(y) (He et al. 2016, eqs. 1 and 2, for s = 1)."""

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.errors import UserError
from resnet_jax.models.attention import SqueezeExcitation
from resnet_jax.models.branches import Convolution
from resnet_jax.models.layers import Layers
from resnet_jax.models.orders import Order
from resnet_jax.models.residual_scaling import Scale
from resnet_jax.models.shortcuts import SHORTCUTS, Gated, Junction, Shortcut, none
from resnet_jax.models.stochastic_depth import survive


class Unit(nn.Module):
    """Joins a shortcut h, a branch F and an after-addition f.

    Attributes:
      shortcut: h.
      branch: the convolutions of F.
      junction: what the shortcut has to meet; the order in it is that of all the unit, and f too.
      first: whether it is the network's first unit, which leaves out the order's opening, done by
        the stem, and the dropout between units.
      squeeze: reduction of the squeeze and excitation at the end of F; 0 for none.
      zero_init: whether the branch starts as F = 0.
      scale: s.
      survival: probability that a training step takes the branch.
      dropout: rate of the dropout between units.
    """

    shortcut: Shortcut
    branch: tuple[Convolution, ...]
    junction: Junction
    first: bool
    squeeze: int
    zero_init: bool
    scale: Scale
    survival: float
    dropout: float

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """Maps the output of the unit before to that of this one."""
        x = x if self.first else self._layers.drop(x, self.dropout, name="dropout")
        opened = self._opened(x)
        h, residual = self.shortcut(x, opened, self.junction), self.residual(opened)
        terms = (h.shortcut, h.share * residual) if isinstance(h, Gated) else (h, residual)
        self._refuse_misfits(terms, residual)
        y = terms[0] + terms[1]
        return self._layers.apply(y, self._order.after_addition, at="_after_addition")

    def residual(self, opened: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """s F(x), from the opened input; what an interceptor replaces to take the branch away."""
        scaled = self.scale.multiply(self._branch(opened), self)
        return survive(scaled, self.survival, self, self._layers.train)

    def _opened(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        """The input as branch and projection read it."""
        x = x if self.first else self._layers.apply(x, self._order.opening, at=self._order.at(0))
        return self._layers.shift(x, name="before_conv1")

    def _branch(self, x: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """F without its opening."""
        order, last = self._order, len(self.branch)
        zero_norm = self.zero_init and self._closes_with_norm
        zero_conv = self.zero_init and not self._closes_with_norm
        for number, conv in enumerate(self.branch, start=1):
            ends = number == last
            x = self._layers.shift(x, name=f"before_conv{number}") if number > 1 else x
            x = self._layers.conv(
                x,
                conv.features,
                conv.size,
                conv.stride,
                conv.groups,
                name=f"conv{number}",
                factor=0.0 if zero_conv and ends else self.scale.kernels,
            )
            steps = order.after(number, last)
            x = self._layers.apply(x, steps, at=order.at(number), zero=zero_norm and ends)
        return SqueezeExcitation(self.squeeze, name="attention")(x) if self.squeeze else x

    def _refuse_misfits(self, terms: tuple[Array, Array], branch: Array) -> None:
        """Raises a `UserError` if a term would broadcast in the sum, or change its type."""
        if self.shortcut is none or not jnp.ndim(branch):  # there is one term alone
            return
        fits, *given = (_described(each) for each in (branch, *terms))
        for each in given:
            if each != fits:
                names = (name for name, h in SHORTCUTS.items() if h is self.shortcut)
                name = next(names, "in no table")
                raise UserError(
                    f"{'/'.join(self.path)}: shortcut {name!r} gives {each} where the branch has "
                    f"{fits}; both terms of the sum have to be of its shape and type"
                )

    @property
    def _order(self) -> Order:
        return self.junction.order

    @property
    def _layers(self) -> Layers:
        return self.junction.layers

    @property
    def _closes_with_norm(self) -> bool:
        return "norm" in self._order.closing and self._layers.normalization != "none"


def _described(term: Array | float) -> str:
    """`2x8x8x16 float32`; a shortcut of one's own may give a plain number too."""
    shape = "x".join(map(str, jnp.shape(term))) or "a single number,"
    return f"{shape} {jnp.result_type(term)}"
