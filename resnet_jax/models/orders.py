"""Orders: where normalisation and ReLU stand in a unit, and with them the after-addition f.

He et al. 2016 (arXiv 1603.05027), Fig. 4, moves the same layers about a unit; so an order is four
sequences of steps and nothing else.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """The steps around the convolutions of a unit, each a name of `layers.STEPS`.

    Attributes:
      opening: before the first convolution of the branch. The network's first unit goes without,
        because its stem ends in an activation that both paths share, and the head begins with one
        opening more, for the last addition (He et al. 2016, section 4.1 and appendix).
      between: between two convolutions of the branch.
      closing: after the last convolution, before the addition.
      after_addition: the function f of the unit.
    """

    opening: tuple[str, ...]
    between: tuple[str, ...]
    closing: tuple[str, ...]
    after_addition: tuple[str, ...]

    def at(self, conv: int) -> str:
        """Number of the norm and ReLU that follow a convolution, or open the branch if it is 0.

        Where units open with a norm, that is norm1, and a convolution's norm is the one before it.
        """
        return f"{conv + self.opening.count('norm')}"


ORDERS = {
    "original": Order(
        opening=(), between=("norm", "relu"), closing=("norm",), after_addition=("relu",)
    ),
    "preactivation": Order(
        opening=("norm", "relu"), between=("norm", "relu"), closing=(), after_addition=()
    ),
}
