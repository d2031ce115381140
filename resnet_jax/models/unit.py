"""The residual unit: y = h(x) + s F(x), x' = f(y) (He et al. 2016, eqs. 1 and 2, for s = 1)."""

from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.models.branches import Convolution
from resnet_jax.models.layers import Layers
from resnet_jax.models.orders import Order
from resnet_jax.models.scales import Scale
from resnet_jax.models.shortcuts import Junction, Shortcut


class Unit(nn.Module):
    """Joins a shortcut h, a branch F and an after-addition f.

    Attributes:
      shortcut: h.
      branch: the convolutions of F.
      order: f, and what stands around the convolutions.
      stride: the unit's stride.
      opens: whether the input still needs the order's opening.
      zero_init: whether the branch starts as F = 0.
      scale: s.
      shortcut_scale: what the shortcut "scaled" multiplies by.
      layers: maker of the network's layers.
    """

    shortcut: Shortcut
    branch: tuple[Convolution, ...]
    order: Order
    stride: int
    opens: bool
    zero_init: bool
    scale: Scale
    shortcut_scale: float
    layers: Layers

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """Maps the output of the unit before to that of this one."""
        opened = self._opened(x)
        y = self.shortcut(x, opened, self._junction) + self.residual(opened)
        return self.layers.apply(y, self.order.after_addition, at="_after_addition")

    def residual(self, opened: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """s F(x), from the opened input; what an interceptor replaces to take the branch away."""
        return self.scale.multiply(self._branch(opened), self)

    @property
    def _junction(self) -> Junction:
        features = self.branch[-1].features
        return Junction(features, self.stride, self.order, self.shortcut_scale, self.layers)

    def _opened(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        """The input as branch and projection read it."""
        x = self.layers.apply(x, self.order.opening, at=self.order.at(0)) if self.opens else x
        return self.layers.shift(x, name="before_conv1")

    def _branch(self, x: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """F without its opening."""
        order, last = self.order, len(self.branch)
        zero_norm = self.zero_init and self._closes_with_norm
        zero_conv = self.zero_init and not self._closes_with_norm
        for number, conv in enumerate(self.branch, start=1):
            ends = number == last
            x = self.layers.shift(x, name=f"before_conv{number}") if number > 1 else x
            x = self.layers.conv(
                x,
                conv.features,
                conv.size,
                conv.stride,
                name=f"conv{number}",
                factor=0.0 if zero_conv and ends else self.scale.kernels,
            )
            steps = order.closing if ends else order.between
            x = self.layers.apply(x, steps, at=order.at(number), zero=zero_norm and ends)
        return x

    @property
    def _closes_with_norm(self) -> bool:
        return "norm" in self.order.closing and self.layers.normalization != "none"
