"""Residual scaling: the factor s in y = h(x) + s F(x), and the initialization that belongs to it.

Deep residual networks without normalization train if their branches are small at initialization.
With s = 0 and no shortcut (a plain network), only the bias of the classifier trains.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float


@dataclass(frozen=True)
class ResidualScaling:
    """s = 1, the papers' unit, and the base class of the others.

    Attributes:
      zero_init: whether the last convolution of each branch and the classifier start at zero.
      biases: whether learnable scalars are added before convolutions, activations and classifier.
    """

    zero_init: ClassVar[bool] = False
    biases: ClassVar[bool] = False

    def scale(self, branch: Float[Array, "b h w c"], unit: nn.Module) -> Float[Array, "b h w c"]:
        """s F(x); a learnable s is a parameter of the unit, named scale."""
        return branch

    def kernel_factor(self, branches: int, convolutions: int) -> float:
        """Factor of the initial kernels of a branch.

        Args:
          branches: number of branches in the network, L.
          convolutions: number of convolutions in a branch, m.
        """
        return 1.0


@dataclass(frozen=True)
class Constant(ResidualScaling):
    """A constant s (He et al. 2016, section 3.1, have 0.5).

    Attributes:
      factor: s.
    """

    factor: float = 1.0

    def scale(self, branch: Float[Array, "b h w c"], unit: nn.Module) -> Float[Array, "b h w c"]:
        return branch * self.factor


@dataclass(frozen=True)
class ZeroInit(ResidualScaling):
    """A learnable scalar s per unit, initially 0: the network starts as its shortcuts alone.

    SkipInit (De and Smith 2020, arXiv 2002.10444) is this with no norm (theirs also gives
    convolutions biases, which they do not have here). ReZero (Bachlechner et al. 2020, arXiv
    2003.04887) is this with no norm and nothing after the addition (order "preactivation").
    """

    initial: ClassVar[float] = 0.0

    def scale(self, branch: Float[Array, "b h w c"], unit: nn.Module) -> Float[Array, "b h w c"]:
        init = nn.initializers.constant(self.initial)
        return branch * unit.param("scale", init, (), jnp.float32).astype(branch.dtype)


@dataclass(frozen=True)
class Fixup(ZeroInit):
    """Fixup (Zhang et al. 2019, arXiv 1901.09321, section 3), for networks without norm.

    1. The classifier and the last convolution of each branch start at zero.
    2. The other kernels of a branch are multiplied by L^(-1 / (2m - 2)), for L branches of m
       convolutions.
    3. Each branch has a learnable multiplier, initially 1, and there is a learnable scalar bias,
       initially 0, before each convolution, activation and dense layer.

    As in the authors' code a projection shares the bias of the branch's first convolution, and the
    stem's convolution has none. Their code also trains the scalars at a tenth of the learning rate;
    the paper does not mention it, and it is not done here.
    """

    initial: ClassVar[float] = 1.0
    zero_init: ClassVar[bool] = True
    biases: ClassVar[bool] = True

    def kernel_factor(self, branches: int, convolutions: int) -> float:
        return branches ** (-1 / (2 * convolutions - 2)) if convolutions > 1 else 1.0


SCALINGS: Mapping[str, ResidualScaling] = {
    "none": ResidualScaling(),
    "constant": Constant(),
    "skipinit": ZeroInit(),
    "rezero": ZeroInit(),
    "fixup": Fixup(),
}
