"""Mean-field theory of gradients at initialization, which the studies compare measurements with.

Setting. Wide networks with He's normal weights (variance 2 / fan_in), in which each layer is batch
normalization, ReLU and a linear map unless stated otherwise. Rates are of squared gradient norms: a
rate of 1.47 per layer is one of 1.21 for the norm itself.

Residual networks. The output of a layer has second moment 1, of which 1 / pi is the square of each
channel's mean (the arccosine kernel of two uncorrelated images). The next norm subtracts this mean
and divides by the variance that remains, v = 1 - 1 / pi = 1 / a. In the backward pass, ReLU halves
the squared gradient, the linear map doubles it, and a norm divides it by the variance that it
divided by in the forward pass. A layer of a plain network therefore multiplies the squared gradient
by a. A branch of m layers, whose input is a residual stream of variance V, multiplies it by
c = a^m v / V. The gradients of branch and shortcut are uncorrelated, so that their squares add up:
a residual unit multiplies the squared gradient by 1 + c.

Finite batches. Normalization gives the B images of a batch a mean correlation of -1 / (B - 1), and
a becomes Yang's lambda(B). The input of a branch has the geometry of the input of a plain layer up
to scale, so the argument above holds unchanged.
"""

import functools
import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Float
from scipy import ndimage
from scipy.special import digamma, polygamma
from scipy.stats import binom

Correlation = TypeVar("Correlation", float, np.ndarray)

Overlaps = Float[np.ndarray, "h w h w"]
"""Mean product over channels of two pixels, of the same image or of two images."""

TOLERANCE = 1e-7  # of the fixed point of overlaps


def kernel(c: Correlation) -> Correlation:
    """The arccosine kernel of degree 1, J(c) = (sqrt(1 - c^2) + c (pi - arccos c)) / pi.

    Equals 2 E[relu(x) relu(y)] for standard normal x and y of correlation c (Cho and Saul 2009,
    eq. 6, divided by its value pi at c = 1).

    Args:
      c: correlation, from -1 to 1; a number or an array.

    Returns:
      Values from 0 to 1.

    Example:
      >>> [round(float(kernel(c)), 4) for c in (1.0, 0.0)]
      [1.0, 0.3183]
    """
    return (np.sqrt(1 - c * c) + c * (math.pi - np.arccos(c))) / math.pi


def kernel_slope(c: Correlation) -> Correlation:
    """The derivative J'(c) = (pi - arccos c) / pi, which equals 2 P(x > 0 and y > 0)."""
    return (math.pi - np.arccos(c)) / math.pi


def plain_rate(batch: float) -> float:
    """Growth of the squared gradient per layer of a plain network, towards the input.

    lambda(B) = (J'(c) + B - 1) / ((B - 3) (1 - J(c))) - 1 / (B - 3) with c = -1 / (B - 1)
    (Yang et al. 2019, arXiv 1902.08129, theorem 8).

    Args:
      batch: B, more than 3; `math.inf` gives a = pi / (pi - 1).

    Example:
      >>> [round(plain_rate(batch), 3) for batch in (8, 128, math.inf)]
      [1.788, 1.48, 1.467]
    """
    if math.isinf(batch):
        return math.pi / (math.pi - 1)
    c = -1 / (batch - 1)
    return float(((kernel_slope(c) + batch - 1) / (1 - kernel(c)) - 1) / (batch - 3))


def linear_rate(batch: float) -> float:
    """The rate of a plain network without ReLU: (B - 2) / (B - 3) (Yang et al. 2019)."""
    return 1.0 if math.isinf(batch) else (batch - 2) / (batch - 3)


def zero_padded_rate(size: int) -> float:
    """The rate of a plain network of zero-padded 3x3 convolutions, for large batches.

    At the border, some of the nine taps fall outside of the image. In the backward pass gradient is
    lost there: the squared gradient at a pixel becomes the mean over the taps of those around it, a
    map whose greatest eigenvalue is mu = ((1 + 2 cos(pi / (size + 1))) / 3)^2. In the forward pass
    the variance that a norm divides by is lower too. The rate is mu / variance, and tends to
    pi / (pi - 1) for large images.

    Derived for this project. It is an approximation: all channels are given the same variance,
    but next to zeros the variance of a channel depends on its mean. Measured rates are up to 1.5%
    higher.

    Args:
      size: height and width of the images, in pixels.

    Example:
      >>> round(zero_padded_rate(8), 3)
      1.404
    """
    kept = ((1 + 2 * math.cos(math.pi / (size + 1))) / 3) ** 2
    return kept / _zero_padded_variance(size)


def variance_growth(batch: float = math.inf) -> float:
    """The variance that a unit adds to the residual stream, 1 - 1 / pi = 0.682.

    For branches that end in a linear map with He's weights (De and Smith 2020, arXiv 2002.10444,
    section 3). Variance is within each channel, over the batch and the pixels. The variance over
    all elements of a layer grows by 1: the other 1 / pi is the spread of the channels' means, which
    normalization removes.

    Args:
      batch: B; finite batches give (1 - 1 / B) (1 - J(-1 / (B - 1))), which is 0.679 for B = 64.
    """
    if math.isinf(batch):
        return 1 - 1 / math.pi
    return float((1 - 1 / batch) * (1 - kernel(-1 / (batch - 1))))


def residual_exponent(layers: int = 2, batch: float = math.inf) -> float:
    """The exponent a^m of the power law |g_l|^2 ~ (L / l)^(a^m), for branches of m layers.

    The input of unit l has variance l / a, so that c_l = a^m / l, and the product of 1 + a^m / k
    over the units k from l to L grows as (L / l)^(a^m). The base of the exponential of a plain
    network thus becomes the exponent of a power law. Derived for this project.

    Args:
      layers: m.
      batch: B; lambda(B) takes the place of a.
    """
    return plain_rate(batch) ** layers


def residual_gain(units: int, exponent: float) -> Float[np.ndarray, " units"]:
    """c_l = exponent / l, the squared gradient of a branch relative to that of its shortcut.

    Args:
      units: L, the number of units.
      exponent: a^m, see `residual_exponent`.
    """
    return exponent / np.arange(1, units + 1)


def residual_profile(units: int, exponent: float) -> Float[np.ndarray, " units_plus_1"]:
    """The squared gradient at the input of each unit and, last, at the output, which has 1.

    The product of 1 + c_k over the units k from l to L, of which the power law is the limit for l
    far above the exponent. The arguments are those of `residual_gain`.
    """
    return np.append(np.cumprod(1 + residual_gain(units, exponent)[::-1])[::-1], 1.0)


def scaled_shortcut_rate(shortcut: float, gain: float) -> float:
    """The rate per unit with shortcut h(x) = lambda x: lambda^2 + (1 - lambda^2) a^m.

    The variance of the stream converges to the V for which V = lambda^2 V + v, so that a branch
    multiplies the squared gradient by a^m v / V = (1 - lambda^2) a^m. For lambda = 0 this is the
    rate of m plain layers. For lambda = 1 it is 1: only the power law remains.

    Args:
      shortcut: lambda, from 0 to 1.
      gain: a^m, see `residual_exponent`.
    """
    return shortcut**2 + (1 - shortcut**2) * gain


def path_length(units: int, layers: int = 2, batch: float = math.inf) -> float:
    """Mean length, in units, of the paths through the branches, weighted by squared gradient.

    |g|^2 is a sum over paths, of the product of c_l over the branches that a path takes. With t c_l
    in place of c_l, the mean length is the derivative of ln prod(1 + t c_l) with respect to ln t at
    t = 1: the sum of c_l / (1 + c_l). The question is that of Veit et al. 2016 (arXiv 1605.06431).

    Args:
      units: L, the number of units.
      layers: m, the layers in a branch.
      batch: B.

    Example:
      >>> [round(path_length(units), 2) for units in (9, 27, 54)]
      [3.17, 5.18, 6.58]
    """
    gain = residual_gain(units, residual_exponent(layers, batch))
    return float(np.sum(gain / (1 + gain)))


def path_shares(
    units: int, layers: int = 2, batch: float = math.inf
) -> Float[np.ndarray, " lengths"]:
    """Share of the squared gradient that comes through paths of 0, 1, ..., L branches.

    The coefficients of the polynomial prod(1 + t c_l), divided by their sum: a path takes branch l
    with probability c_l / (1 + c_l). The arguments are those of `path_length`.
    """
    gains = residual_gain(units, residual_exponent(layers, batch))
    factors = ([1 / (1 + gain), gain / (1 + gain)] for gain in gains)
    return functools.reduce(np.convolve, factors, np.ones(1))


def log_variance(widths: Sequence[int]) -> float:
    """Variance of ln |g|^2 over initializations of a plain ReLU network without normalization.

    5 x the sum of 1 / width: each layer multiplies |g|^2 by the mean of n values 2 b z^2, with z
    normal and b a fair coin, whose variance is 4 (3 / 2) - 1 = 5 (Hanin 2018, arXiv 1801.03744;
    Hanin and Nica 2018, arXiv 1812.05994).

    Args:
      widths: number of units in each hidden layer.
    """
    return 5 * sum(1 / width for width in widths)


def exact_log_variance(widths: Sequence[int]) -> float:
    """The same at finite width, given that each layer has an active unit.

    With K active units, K binomial, the factor of a layer is 2 / n times a chi-squared variable of
    K degrees of freedom, whose logarithm has mean digamma(K / 2) + ln 2 and variance
    trigamma(K / 2).

    Args:
      widths: number of units in each hidden layer.
    """
    return sum(_layer_log_variance(width) for width in widths)


def _layer_log_variance(width: int) -> float:
    active = np.arange(1, width + 1)
    share = binom.pmf(active, width, 0.5)
    share = share / share.sum()
    mean = np.sum(share * digamma(active / 2))
    return float(np.sum(share * (polygamma(1, active / 2) + (digamma(active / 2) - mean) ** 2)))


def _zero_padded_variance(size: int) -> float:
    """The variance before a norm, at the fixed point of the map of overlaps through a layer."""
    same = np.eye(size * size).reshape([size] * 4)
    other, before = np.full_like(same, 1 / math.pi), np.full_like(same, math.inf)
    # A convolution averages over its taps, which shift both pixels alike.
    taps = np.eye(9).reshape(3, 3, 3, 3) / 9
    while np.max(np.abs(other - before)) > TOLERANCE:
        before = other
        same, other = (_centered(each, other) for each in (same, other))
        power = np.einsum("hwhw->hw", same)
        variance = float(power.mean())
        scale = np.sqrt(np.multiply.outer(power, power))
        same, other = (
            ndimage.correlate(
                scale / variance * kernel(np.clip(each / scale, -1, 1)), taps, mode="constant"
            )
            for each in (same, other)
        )
    return variance


def _centered(overlaps: Overlaps, other: Overlaps) -> Overlaps:
    """Overlaps after subtracting each channel's mean: in a large batch, that over other images."""
    with_mean = other.mean(axis=(2, 3))
    return overlaps - np.add.outer(with_mean, with_mean) + other.mean()
