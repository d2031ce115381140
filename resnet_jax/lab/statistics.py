"""Summaries of a few seeds: all that they say, and no more.

Intervals are Student's t. It supposes that the seeds' values are roughly normal, and then holds
at every n. The bootstrap does not at the n of a laboratory: resampling three values cannot
show a tail that they lack. How often a 95% interval of a normal sample's mean covers the truth:

    n                      3     5    10    20
    Student's t           95%   95%   95%   95%
    bootstrap, BCa        72%   85%   92%   93%
    bootstrap, percentile 73%   84%   89%   93%
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri, stdtrit

CONFIDENCE = 0.95

Values = Float[np.ndarray, " n"]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Summary:
    """What some values of one measure say, in the measure's unit.

    Attributes:
      n: how many values there are.
      mean: their mean.
      std: their standard deviation, with n - 1 in the denominator.
      median: their median.
      low: the lower end of the 95% interval of the mean.
      high: its upper end.
    """

    n: int
    mean: float
    std: float
    median: float
    low: float
    high: float


def t_interval(values: Values, confidence: float = CONFIDENCE) -> Interval:
    """Student's interval of the mean: mean -+ t(n - 1) std / sqrt(n) (Student 1908).

    Args:
      values: the sample.
      confidence: how often the interval is to cover the true mean.

    Returns:
      Its two ends, in the unit of the values: NaN for fewer than two values, and no width where
      all are equal.
    """
    if len(values) < 2:
        return math.nan, math.nan
    mean, error = np.mean(values), np.std(values, ddof=1) / math.sqrt(len(values))
    reach = float(stdtrit(len(values) - 1, 0.5 + confidence / 2)) * error
    return float(mean - reach), float(mean + reach)


def bca_interval(
    values: Values, confidence: float = CONFIDENCE, resamples: int = 9999, seed: int = 0
) -> Interval:
    """The bias-corrected and accelerated bootstrap interval of the mean (Efron 1987).

    For skewed values at n of 20 and more; at a few seeds it covers the truth far too seldom (see
    the head of this file).

    Args:
      values: the sample.
      confidence: how often the interval is to cover the true mean.
      resamples: how many bootstrap samples to draw.
      seed: of the draws, so that a report is the same each time it is built.

    Returns:
      Its two ends, in the unit of the values: NaN for fewer than two values, and no width where
      all are equal.
    """
    n = len(values)
    if n < 2:
        return math.nan, math.nan
    mean = float(np.mean(values))
    if np.ptp(values) == 0:
        return mean, mean
    draws = np.random.default_rng(seed).integers(n, size=(resamples, n))
    means = values[draws].mean(axis=1)
    below = (np.mean(means < mean) + np.mean(means <= mean)) / 2
    bias = ndtri(below)
    tails = bias + ndtri(np.array([1 - confidence, 1 + confidence]) / 2)
    levels = ndtr(bias + tails / (1 - _acceleration(values) * tails))
    low, high = np.quantile(means, levels)
    return float(low), float(high)


def summarize(
    values: Iterable[float], interval: Callable[[Values], Interval] = t_interval
) -> Summary:
    """Summarises the finite values of a measure; NaN stands for a run without a value.

    Args:
      values: one for each run.
      interval: what makes the 95% interval of the mean.

    Returns:
      Their summary. No value gives n = 0 and NaN everywhere; one value gives NaN for the
      standard deviation and the interval, as nothing is known of its spread.
    """
    given = np.asarray(list(values), dtype=float)
    finite = given[np.isfinite(given)]
    if not len(finite):
        return Summary(0, *[math.nan] * 5)
    std = float(np.std(finite, ddof=1)) if len(finite) > 1 else math.nan
    low, high = interval(finite)
    return Summary(len(finite), float(np.mean(finite)), std, float(np.median(finite)), low, high)


def paired_difference(a: Mapping[int, float], b: Mapping[int, float]) -> Summary:
    """The difference a - b of twins, seed by seed.

    Twins of a seed share their data order and, where shapes agree, their first weights, so that
    what these do to both falls out of the difference.

    Args:
      a: the value of each seed in one cell of the grid.
      b: the same in another cell.

    Returns:
      The summary of the differences over the seeds in which both have a finite value.
    """
    return summarize(a[seed] - b[seed] for seed in sorted(set(a) & set(b)))


def _acceleration(values: Values) -> float:
    # How fast the standard error changes with the mean, from leaving out each value in turn.
    without = (np.sum(values) - values) / (len(values) - 1)
    spread = np.mean(without) - without
    return float(np.sum(spread**3) / (6 * np.sum(spread**2) ** 1.5))
