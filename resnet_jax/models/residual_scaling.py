"""Scales: the s in y = h(x) + s F(x), and the initial values that belong to it.

Without norm a deep residual net trains if its branches start small. The entries say how small, and
what a network has in place of the norms. At s = 0 every branch is off, and a plain net dead.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float


@dataclass(frozen=True)
class Scale:
    """What multiplies a branch.

    Attributes:
      value: s, or where it starts if it is learnable; None leaves the branch as it is.
      learnable: whether s is a parameter, one scalar a unit.
      kernels: what initial kernels of a branch are multiplied by.
      zero_ends: whether the last convolution of each branch, and the classifier, start at zero.
      biases: whether learnable scalars are added before each convolution of a branch, before each
        activation and before the dense layer.
    """

    value: float | None = None
    learnable: bool = False
    kernels: float = 1.0
    zero_ends: bool = False
    biases: bool = False

    def multiply(self, branch: Float[Array, "b h w c"], unit: nn.Module) -> Float[Array, "b h w c"]:
        """s F(x), where a learnable s is a parameter of the unit, called scale."""
        if self.value is None:
            return branch
        if not self.learnable:
            return branch * self.value
        start = nn.initializers.constant(self.value)
        return branch * unit.param("scale", start, (), jnp.float32).astype(branch.dtype)


Scaling = Callable[[int, int, float], Scale]
"""From (number of branches, convolutions in each, the constant set) to the scale of all of them."""


def none(branches: int, convolutions: int, constant: float) -> Scale:
    """s = 1, the papers' unit."""
    return Scale()


def fixed(branches: int, convolutions: int, constant: float) -> Scale:
    """s is a constant, which He et al. 2016 (section 3.1) have as 0.5."""
    return Scale(constant)


def zero(branches: int, convolutions: int, constant: float) -> Scale:
    """s is learnt and starts at 0, so that the network starts as its shortcuts alone.

    It is one scale under two names. SkipInit (De and Smith 2020, arXiv 2002.10444) puts it at the
    end of each branch in place of norms, and lets convolutions have biases, which they have not
    here. ReZero (Bachlechner et al. 2020, arXiv 2003.04887) is x + s F(x) without norm and with
    nothing after the addition. Norm and order are settings of their own: "skipinit" is theirs with
    normalization "none", "rezero" with order "preactivation" too.
    """
    return Scale(0.0, learnable=True)


def fixup(branches: int, convolutions: int, constant: float) -> Scale:
    """Fixup (Zhang et al. 2019, arXiv 1901.09321, section 3), for networks without norm.

    Its rules: (1) the classifier and the last convolution of each branch start at zero; (2) the
    other convolutions of a branch are drawn as usual and multiplied by L^(-1 / (2m - 2)), for L
    branches of m convolutions (if m is 1 there are no others); (3) each branch has a scalar
    multiplier that starts at 1, and a scalar bias that starts at 0 stands before each convolution,
    dense layer and activation. As in the authors' code a projection shares the bias of its branch's
    first convolution, and the stem's convolution has none. Their code also trains these scalars at
    a tenth of the learning rate; no rule says so, and it is not done here.
    """
    shrunk = branches ** (-1 / (2 * convolutions - 2)) if convolutions > 1 else 1.0
    return Scale(1.0, learnable=True, kernels=shrunk, zero_ends=True, biases=True)


SCALES: dict[str, Scaling] = {
    "none": none,
    "constant": fixed,
    "skipinit": zero,
    "rezero": zero,
    "fixup": fixup,
}
