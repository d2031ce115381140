"""What mean-field theory says of gradients at initialisation, to hold measurements against.

All of it is for wide networks with He's normal weights (variance 2 / fan_in), normalised by the
batch and then rectified unless said otherwise. Squared gradient norms are meant throughout: a
rate of 1.47 for each layer is one of 1.21 for the norm itself.

The argument behind all the residual formulas is one. A layer of norm, ReLU and linear map turns a
batch into one of second moment 1, of which 1 / pi is the square of each channel's mean (the
arccosine kernel of two images that have nothing in common). The next norm takes that mean away
and divides by the variance that is left, v = 1 - 1 / pi = 1 / a. Backward, ReLU halves the squared
gradient, the linear map doubles it, and a norm divides it by the variance that it saw. So a layer
in a plain net multiplies it by a; a branch of m layers that starts from a stream of variance V
multiplies it by c = a^m v / V; and gradients of branch and shortcut, being uncorrelated, add up
as squares: 1 + c for each unit.

In a finite batch the images are pushed apart by the norm, to a correlation of -1 / (B - 1), and a
is Yang's lambda(B). What enters a branch has the same geometry as what enters a layer of a plain
net, but for its scale, so the argument stays as it is.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Float
from scipy.special import digamma, polygamma
from scipy.stats import binom

Profile = Float[np.ndarray, " units"]

Correlation = TypeVar("Correlation", float, np.ndarray)


def kernel(c: Correlation) -> Correlation:
    """The arccosine kernel of degree 1, J(c) = (sqrt(1 - c^2) + c (pi - arccos c)) / pi.

    It is 2 E[relu(x) relu(y)] for standard normal x and y of correlation c (Cho and Saul 2009,
    eq. 6, divided by its value pi at c = 1).

    Args:
      c: the correlation, from -1 to 1; a number or an array.

    Returns:
      From 0 to 1.

    Example:
      >>> [round(float(kernel(c)), 4) for c in (1.0, 0.0)]
      [1.0, 0.3183]
    """
    return (np.sqrt(1 - c * c) + c * (math.pi - np.arccos(c))) / math.pi


def kernel_slope(c: Correlation) -> Correlation:
    """The derivative J'(c) = (pi - arccos c) / pi, which is 2 P(x > 0 and y > 0)."""
    return (math.pi - np.arccos(c)) / math.pi


def plain_rate(batch: float) -> float:
    """Growth of the squared gradient for each layer of a plain net of linear, norm and ReLU.

    lambda(B) = (J'(c) + B - 1) / ((B - 3) (1 - J(c))) - 1 / (B - 3), c = -1 / (B - 1)
    (Yang et al. 2019, arXiv 1902.08129, theorem 8). It grows towards the input.

    Args:
      batch: images in the batch, more than 3; `math.inf` gives pi / (pi - 1).

    Example:
      >>> [round(plain_rate(batch), 3) for batch in (8, 128, math.inf)]
      [1.788, 1.48, 1.467]
    """
    if math.isinf(batch):
        return math.pi / (math.pi - 1)
    c = -1 / (batch - 1)
    return float(((kernel_slope(c) + batch - 1) / (1 - kernel(c)) - 1) / (batch - 3))


def linear_rate(batch: float) -> float:
    """The same without ReLU: (B - 2) / (B - 3) (Yang et al. 2019)."""
    return 1.0 if math.isinf(batch) else (batch - 2) / (batch - 3)


def variance_growth(batch: float = math.inf) -> float:
    """What a unit adds to the variance of the residual stream: 1 - 1 / pi = 0.682.

    For branches that end in a linear map with He's weights (De and Smith 2020, arXiv 2002.10444,
    section 3). It is the variance within each channel, over the batch and the pixels. That over
    all elements of a layer at once grows by 1: the other 1 / pi is the spread of the channels'
    means, which a norm does not see.

    Args:
      batch: B; a batch of finite size has (1 - 1 / B) (1 - J(-1 / (B - 1))), 0.679 at 64 images.
    """
    if math.isinf(batch):
        return 1 - 1 / math.pi
    return float((1 - 1 / batch) * (1 - kernel(-1 / (batch - 1))))


def residual_exponent(layers: int = 2, batch: float = math.inf) -> float:
    """The exponent a^m in |g_l|^2 ~ (L / l)^(a^m), with m layers in a branch and a = pi/(pi - 1).

    Unit l sees a stream of variance l / a, so c_l = a^m / l, and the product over units from l to L
    of 1 + a^m / k goes as (L / l)^(a^m). What is the base of an exponential in a plain net is in
    the exponent of a power law here. Derived for this project; see the head of this file.

    Args:
      layers: m, the layers of norm, ReLU and linear map in a branch.
      batch: B, for lambda(B) in place of a.
    """
    return plain_rate(batch) ** layers


def residual_gain(
    units: int, layers: int = 2, batch: float = math.inf, start: float = 1.0
) -> Profile:
    """c_l, the squared gradient through the branch of unit l for that through its shortcut.

    Args:
      units: how many, L.
      layers: m, the layers in a branch.
      batch: B.
      start: variance of the first unit's input, in units of `variance_growth`.

    Returns:
      c_l = a^m / (start + l - 1) of units l = 1 to L; a^m / l by default.
    """
    return residual_exponent(layers, batch) / (start + np.arange(units))


def residual_profile(
    units: int, layers: int = 2, batch: float = math.inf, start: float = 1.0
) -> Profile:
    """The squared gradient at the input of each unit for that at the last one's output.

    The product of 1 + c_k over the units from l on: exact where the power law is its limit for
    l far above a^m. The arguments are those of `residual_gain`.
    """
    return np.cumprod(1 + residual_gain(units, layers, batch, start)[::-1])[::-1]


def scaled_shortcut_rate(shortcut: float, layers: int = 1, batch: float = math.inf) -> float:
    """The rate for each unit with h(x) = lambda x: lambda^2 + (1 - lambda^2) a^m.

    The stream's variance settles at V = lambda^2 V + v, so that a branch multiplies the squared
    gradient by a^m v / V = (1 - lambda^2) a^m. At lambda = 0 it is the plain rate of m layers; at 1
    it is 1, and the growth that is left is the power law.

    Args:
      shortcut: lambda, from 0 to 1.
      layers: m, the layers in a branch.
      batch: B, for lambda(B) in place of a.
    """
    return shortcut**2 + (1 - shortcut**2) * residual_exponent(layers, batch)


def path_length(units: int, layers: int = 2, batch: float = math.inf, start: float = 1.0) -> float:
    """Mean length, in units, of the paths by which the gradient comes, weighted by its square.

    |g|^2 is the sum over paths of the product of c_l over the branches that a path takes; with t c
    in place of c, the mean length is the derivative of the logarithm of prod(1 + t c_l) by ln t at
    t = 1, sum of c_l / (1 + c_l). The question is that of Veit et al. 2016 (arXiv 1605.06431). The
    arguments are those of `residual_gain`.

    Example:
      >>> [round(path_length(units), 2) for units in (9, 27, 54)]
      [3.17, 5.18, 6.58]
    """
    gain = residual_gain(units, layers, batch, start)
    return float(np.sum(gain / (1 + gain)))


def path_shares(
    units: int, layers: int = 2, batch: float = math.inf, start: float = 1.0
) -> Float[np.ndarray, " lengths"]:
    """Share of the squared gradient that comes by paths through 0, 1, ..., L branches.

    The coefficients of the polynomial prod(1 + t c_l), divided by their sum: a path takes branch l
    with probability c_l / (1 + c_l). The arguments are those of `residual_gain`.
    """
    shares = np.ones(1)
    for gain in residual_gain(units, layers, batch, start):
        shares = np.convolve(shares, [1 / (1 + gain), gain / (1 + gain)])
    return shares


def log_variance(widths: Sequence[int]) -> float:
    """Variance of ln |g|^2 over draws of a plain ReLU net without norm: 5 x sum of 1 / width.

    Each layer multiplies |g|^2 by the mean of n values 2 b z^2, with z normal and b a coin, whose
    variance is 4 (3 / 2) - 1 = 5 (Hanin 2018, arXiv 1801.03744; Hanin and Nica 2018, 1812.05994).

    Args:
      widths: units of each hidden layer.
    """
    return 5 * sum(1 / width for width in widths)


def exact_log_variance(widths: Sequence[int]) -> float:
    """The same at finite width, given that no layer is wholly off.

    With K units on, K binomial, the factor is 2 / n times a chi-squared of K degrees, of which the
    logarithm has mean digamma(K / 2) + ln 2 and variance trigamma(K / 2).

    Args:
      widths: units of each hidden layer.
    """
    return sum(_layer_log_variance(width) for width in widths)


def _layer_log_variance(width: int) -> float:
    on = np.arange(1, width + 1)
    share = binom.pmf(on, width, 0.5)
    share = share / share.sum()
    mean = np.sum(share * digamma(on / 2))
    return float(np.sum(share * (polygamma(1, on / 2) + (digamma(on / 2) - mean) ** 2)))
