"""The residual unit: y = h(x) + F(x), x' = f(y) (He et al. 2016, eqs. 1 and 2)."""

from flax import linen as nn
from jax import Array
from jaxtyping import Float

from resnet_jax.models.branches import Convolution
from resnet_jax.models.layers import Layers
from resnet_jax.models.orders import Order
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
      layers: maker of the network's layers.
    """

    shortcut: Shortcut
    branch: tuple[Convolution, ...]
    order: Order
    stride: int
    opens: bool
    zero_init: bool
    layers: Layers

    @nn.compact
    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """Maps the output of the unit before to that of this one."""
        junction = Junction(self.branch[-1].features, self.stride, self.order, self.layers)
        opened = self._opened(x)
        y = self.shortcut(x, opened, junction) + self._branch(opened)
        return self.layers.apply(y, self.order.after_addition, norm="norm_after_addition")

    def _opened(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        return self.layers.apply(x, self.order.opening, norm="norm1") if self.opens else x

    def _branch(self, x: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """F without its opening, which a projection shares."""
        order, last = self.order, len(self.branch)
        zero_norm = self.zero_init and self._closes_with_norm
        zero_conv = self.zero_init and not self._closes_with_norm
        for number, conv in enumerate(self.branch, start=1):
            ends = number == last
            x = self.layers.conv(
                x,
                conv.features,
                conv.size,
                conv.stride,
                name=f"conv{number}",
                zero=zero_conv and ends,
            )
            steps = order.closing if ends else order.between
            x = self.layers.apply(x, steps, norm=order.norm(number), zero=zero_norm and ends)
        return x

    @property
    def _closes_with_norm(self) -> bool:
        return "norm" in self.order.closing and self.layers.normalization != "none"
