"""Statistics over few seeds: means with Student's t intervals, paired differences, p-values.

Student's t assumes roughly normal values and then holds at every n. The bootstrap does not at the
few seeds of an experiment: resampling three values cannot show a tail that they lack. How often a
95% interval of the mean of normal values covers the true mean:

    n                       3     5    10    20
    Student's t           95%   95%   95%   95%
    bootstrap, BCa        72%   85%   92%   93%
    bootstrap, percentile 73%   84%   89%   93%
"""

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import scipy.stats
from jaxtyping import Float

CONFIDENCE = 0.95

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Summary:
    """Summary statistics of a sample, in the unit of its values.

    Attributes:
      n: sample size.
      mean: sample mean.
      std: sample standard deviation (n - 1 in the denominator).
      median: sample median.
      low: lower end of the 95% interval of the mean.
      high: upper end of the 95% interval of the mean.
    """

    n: int
    mean: float
    std: float
    median: float
    low: float
    high: float


def t_interval(
    values: Float[np.ndarray, " n"], confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Student's t interval of the mean: mean ± t(n - 1) std / sqrt(n) (Student 1908).

    Args:
      values: the sample.
      confidence: the nominal coverage.

    Returns:
      The lower and the upper end, in the unit of the values; NaN for fewer than two values.
    """
    if len(values) < 2:
        return math.nan, math.nan
    quantile = scipy.stats.t.ppf(0.5 + confidence / 2, len(values) - 1)
    mean, margin = np.mean(values), quantile * scipy.stats.sem(values)
    return float(mean - margin), float(mean + margin)


def summarize(values: Iterable[float]) -> Summary:
    """Summarizes the finite values of a sample.

    Args:
      values: one for each run; those that are not finite are ignored.

    Returns:
      The summary. Without values, n is 0 and everything else NaN; with a single value, the standard
      deviation and the interval are NaN.
    """
    given = np.asarray(list(values), dtype=float)
    finite = given[np.isfinite(given)]
    if not len(finite):
        return Summary(0, *[math.nan] * 5)
    std = float(np.std(finite, ddof=1)) if len(finite) > 1 else math.nan
    low, high = t_interval(finite)
    return Summary(len(finite), float(np.mean(finite)), std, float(np.median(finite)), low, high)


def paired_difference(a: Mapping[int, float], b: Mapping[int, float]) -> Summary:
    """Summarizes the differences a - b, paired by seed.

    Runs of the same seed share their data order and, where shapes agree, their initial weights;
    pairing removes the variance that these cause in both.

    Args:
      a: values by seed in one cell of the grid.
      b: values by seed in another cell.

    Returns:
      The summary over the seeds with a finite value in both cells.
    """
    return summarize(a[seed] - b[seed] for seed in sorted(set(a) & set(b)))


def p_value(summary: Summary, than: float = 0.0) -> float:
    """The two-sided p-value of Student's t test that the mean equals `than`.

    Args:
      summary: of values or of paired differences.
      than: the mean under the null hypothesis, such as the margin of a claim.

    Returns:
      The p-value; NaN for fewer than two values. If all values are equal, 1 where they equal `than`
      and 0 elsewhere.
    """
    if summary.n < 2:
        return math.nan
    distance = abs(summary.mean - than)
    if summary.std == 0:
        return float(distance == 0)
    error = summary.std / math.sqrt(summary.n)
    return float(2 * scipy.stats.t.sf(distance / error, summary.n - 1))


def holm(p_values: Mapping[Name, float]) -> dict[Name, float]:
    """Adjusts the p-values of several claims for their number (Holm 1979).

    Of twenty false claims tested at 5% each, one is expected to come out as true. Holm's correction
    (Scandinavian Journal of Statistics 6, 65-70) keeps the probability of even one such false
    finding below the level, however the claims depend on each other, and is never weaker than
    Bonferroni's: the k-th smallest of n p-values is multiplied by n - k + 1, made no smaller than
    the one before it, and capped at 1.

    Args:
      p_values: the p-value of each claim; NaN if it has none, which still counts among the n.

    Returns:
      The adjusted p-values in the same order, to be compared with the level; NaN stays NaN.

    Example:
      >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
      {'a': 0.03, 'b': 0.06, 'c': 0.06}
    """
    known = [name for name, p in p_values.items() if not math.isnan(p)]
    adjusted, largest = dict.fromkeys(p_values, math.nan), 0.0
    for rank, name in enumerate(sorted(known, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = largest
    return adjusted
