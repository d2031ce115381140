"""Orders: where normalisation and activation stand in a unit, and with them the after-addition f.

He et al. 2016 (arXiv 1603.05027), Fig. 4, moves the same layers about a unit; so an order is a few
sequences of steps and nothing else. Dropout stands where Zagoruyko and Komodakis 2016 (arXiv
1605.07146) put it, between the convolutions; its rate is zero unless it is set.
"""

from dataclasses import dataclass

Steps = tuple[str, ...]
"""Names of `layers.STEPS`."""


@dataclass(frozen=True)
class Order:
    """The steps around the convolutions of a unit.

    Attributes:
      opening: before the first convolution of the branch. The network's first unit goes without,
        because its stem ends in an activation that both paths share, and the head begins with one
        opening more, for the last addition (He et al. 2016, section 4.1 and appendix).
      between: between two convolutions of the branch.
      closing: after the last convolution, before the addition.
      after_addition: the function f of the unit.
      early: between convolutions other than the last two, where these differ.
    """

    opening: Steps
    between: Steps
    closing: Steps
    after_addition: Steps
    early: Steps | None = None

    def at(self, conv: int) -> str:
        """Number of the norm and activation that follow a convolution, or open the branch if 0.

        Where units open with a norm, that is norm1, and a convolution's norm is the one before it.
        """
        return f"{conv + self.opening.count('norm')}"

    def after(self, conv: int, convolutions: int) -> Steps:
        """The steps after a convolution, the first being 1, of a branch of so many."""
        if conv == convolutions:
            return self.closing
        return self.between if conv == convolutions - 1 or self.early is None else self.early


_INNER = ("norm", "activation", "dropout")

ORDERS = {
    "original": Order(
        opening=(), between=_INNER, closing=("norm",), after_addition=("activation",)
    ),
    "bn_after_addition": Order(
        opening=(), between=_INNER, closing=(), after_addition=("norm", "activation")
    ),
    "relu_before_addition": Order(
        opening=(), between=_INNER, closing=("norm", "activation"), after_addition=()
    ),
    "relu_only_preactivation": Order(
        opening=("activation",), between=_INNER, closing=("norm",), after_addition=()
    ),
    "preactivation": Order(
        opening=("norm", "activation"), between=_INNER, closing=(), after_addition=()
    ),
    "identity_after_addition": Order(
        opening=(), between=_INNER, closing=("norm",), after_addition=()
    ),
    "one_norm": Order(
        opening=(),
        between=_INNER,
        closing=(),
        after_addition=(),
        early=("activation", "dropout"),
    ),
}
"""The first five are those of He et al. 2016, Table 2, whose names for "preactivation" is full
pre-activation. The last two are of tutorials: the original order without its f, and without any
norm but the one before the last convolution.
"""
