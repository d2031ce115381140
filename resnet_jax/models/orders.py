"""Activation orders: the positions of norms and activations in a residual unit.

He et al. 2016 (arXiv 1603.05027), Fig. 4. `|` ends the pre-activation, whose output is
also the input of projection shortcuts. `+` is the addition, and the layers after it are f:

    original                            conv BN ReLU conv BN      + ReLU       Fig. 4(a)
    bn_after_addition                   conv BN ReLU conv         + BN ReLU    Fig. 4(b)
    relu_before_addition                conv BN ReLU conv BN ReLU +            Fig. 4(c)
    relu_only_preactivation      ReLU | conv BN ReLU conv BN      +            Fig. 4(d)
    preactivation             BN ReLU | conv BN ReLU conv         +            Fig. 4(e)
    identity_after_addition             conv BN ReLU conv BN      +            tutorials
    one_norm                            conv BN ReLU conv         +            tutorials

A new order is one entry of `ORDERS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Ops = tuple[str, ...]
"""Names of `layers.LAYER_OPS`: "norm", "activation", "dropout"."""


@dataclass(frozen=True)
class Order:
    """The layers around the convolutions of a unit.

    Attributes:
      pre: before the first convolution (pre-activation). The first unit omits it, as the stem ends
        in norm and activation; the head applies it after the last unit (He et al. 2016, appendix).
      between: between two convolutions.
      post: after the last convolution, before the addition.
      after_addition: the function f in x' = f(y).
      early: replaces `between` everywhere but between the last two convolutions, if given.
    """

    pre: Ops = ()
    between: Ops = ("norm", "activation", "dropout")  # dropout as in Wide ResNets (1605.07146)
    post: Ops = ()
    after_addition: Ops = ()
    early: Ops | None = None

    def suffix(self, conv: int) -> str:
        """Number of the norm after a convolution, counted from 1; of the pre-activation for 0.

        A pre-activation norm is norm1, so that each norm has the number of the convolution that
        reads it; otherwise each has the number of the convolution before it.
        """
        return f"{conv + self.pre.count('norm')}"

    def after(self, conv: int, convolutions: int) -> Ops:
        """The layers after one of a branch's convolutions, counted from 1."""
        if conv == convolutions:
            return self.post
        return self.between if conv == convolutions - 1 or self.early is None else self.early


ORDERS: Mapping[str, Order] = {
    "original": Order(post=("norm",), after_addition=("activation",)),
    "bn_after_addition": Order(after_addition=("norm", "activation")),
    "relu_before_addition": Order(post=("norm", "activation")),
    "relu_only_preactivation": Order(pre=("activation",), post=("norm",)),
    "preactivation": Order(pre=("norm", "activation")),
    "identity_after_addition": Order(post=("norm",)),
    "one_norm": Order(early=("activation", "dropout")),
}
