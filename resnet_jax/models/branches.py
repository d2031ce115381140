"""Branches: the function F of a unit, as the convolutions that it consists of.

He et al. 2015 (arXiv 1512.03385), Fig. 5, and Xie et al. 2017 (arXiv 1611.05431), Fig. 3(c). What
stands between the convolutions is the order's. A wide network (Zagoruyko and Komodakis 2016) has
basic branches of more channels, and a grouped one (ResNeXt) bottlenecks of more groups.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Convolution:
    """One convolution of a branch: output channels, kernel height and width, stride, groups."""

    features: int
    size: int
    stride: int = 1
    groups: int = 1


@dataclass(frozen=True)
class Outline:
    """What a unit asks of its branch.

    Attributes:
      width: channels of the stage, before a bottleneck's expansion.
      stride: the unit's stride.
      stride_on: a name of `STRIDE_ON`.
      kernel_size: height and width of the convolutions that are 3x3 in the papers.
      cardinality: groups of a bottleneck's inner convolution, the C of ResNeXt-29 C x d.
      bottleneck_width: channels of each group in a stage of 64, the d; in other stages in
        proportion.
    """

    width: int
    stride: int = 1
    stride_on: str = "conv1"
    kernel_size: int = 3
    cardinality: int = 1
    bottleneck_width: int = 64

    @property
    def inner_width(self) -> int:
        """Channels of a bottleneck's inner convolution."""
        return self.width * self.bottleneck_width // 64 * self.cardinality


Branch = Callable[[Outline], tuple[Convolution, ...]]
"""From what the unit asks for to the convolutions, first to last."""

STRIDE_ON = {"conv1": 0, "conv2": 1}
"""Which convolution of a bottleneck has the stride: "conv1" in the paper, "conv2" in "v1.5"."""

EXPANSION = 4
"""How many times a bottleneck's output is as wide as its stage."""


def single(unit: Outline) -> tuple[Convolution, ...]:
    """One 3x3 convolution: "each shortcut skips 1 layer" (He et al. 2016, Table 3)."""
    return (Convolution(unit.width, unit.kernel_size, unit.stride),)


def basic(unit: Outline) -> tuple[Convolution, ...]:
    """Two 3x3 convolutions, the stride on the first whatever `stride_on` says."""
    return (
        Convolution(unit.width, unit.kernel_size, unit.stride),
        Convolution(unit.width, unit.kernel_size),
    )


def bottleneck(unit: Outline) -> tuple[Convolution, ...]:
    """1x1, 3x3 in groups, 1x1, the last one four times as wide as the stage."""
    strides = [1, 1]
    strides[STRIDE_ON[unit.stride_on]] = unit.stride
    inner = unit.inner_width
    return (
        Convolution(inner, 1, strides[0]),
        Convolution(inner, unit.kernel_size, strides[1], unit.cardinality),
        Convolution(EXPANSION * unit.width, 1),
    )


BRANCHES: dict[str, Branch] = {"single": single, "basic": basic, "bottleneck": bottleneck}
