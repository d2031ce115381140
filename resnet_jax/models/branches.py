"""Branches: the function F of a unit, as the convolutions that it consists of.

He et al. 2015 (arXiv 1512.03385), Fig. 5. What stands between the convolutions is the order's.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Convolution:
    """One convolution of a branch: output channels, kernel height and width, stride."""

    features: int
    size: int
    stride: int = 1


Branch = Callable[[int, int, str], tuple[Convolution, ...]]
"""From (width, stride, stride_on) to the convolutions, first to last."""

STRIDE_ON = {"conv1": 0, "conv2": 1}
"""Which convolution of a bottleneck has the stride: "conv1" in the paper, "conv2" in "v1.5"."""

EXPANSION = 4
"""How many times a bottleneck's output is as wide as the 3x3 convolution inside."""


def basic(width: int, stride: int, stride_on: str) -> tuple[Convolution, ...]:
    """Two 3x3 convolutions, the stride on the first whatever `stride_on` says."""
    return Convolution(width, 3, stride), Convolution(width, 3)


def bottleneck(width: int, stride: int, stride_on: str) -> tuple[Convolution, ...]:
    """1x1, 3x3, 1x1, the last one four times as wide."""
    strides = [1, 1]
    strides[STRIDE_ON[stride_on]] = stride
    return (
        Convolution(width, 1, strides[0]),
        Convolution(width, 3, strides[1]),
        Convolution(EXPANSION * width, 1),
    )


BRANCHES: dict[str, Branch] = {"basic": basic, "bottleneck": bottleneck}
