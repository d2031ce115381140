"""Holm's correction: p-values of several claims, such that one false finding is unlikely in all.

Of twenty claims that are all false, each tested at 5%, one is expected to come out as true. Holm
1979 (Scandinavian Journal of Statistics 6, 65-70) keeps the chance of even one false finding below
the level, whatever the claims have to do with each other, and is never weaker than Bonferroni.
"""

import math
from collections.abc import Hashable, Mapping
from typing import TypeVar

from scipy.special import stdtr

from resnet_jax.lab.statistics import Summary

Name = TypeVar("Name", bound=Hashable)


def adjust(p_values: Mapping[Name, float]) -> dict[Name, float]:
    """Holm's adjusted p-values: to be compared with the level as they are.

    The k-th smallest of n is multiplied by n - k + 1, made no smaller than the one before, and cut
    at 1. A claim with no p-value yet (NaN) keeps NaN, but counts among the n: it was asked too.

    Args:
      p_values: that of each claim.

    Returns:
      The adjusted one of each, in the same order.

    Example:
      >>> adjust({"a": 0.01, "b": 0.04, "c": 0.03})
      {'a': 0.03, 'b': 0.06, 'c': 0.06}
    """
    known = [name for name, p in p_values.items() if not math.isnan(p)]
    adjusted, reached = dict.fromkeys(p_values, math.nan), 0.0
    for rank, name in enumerate(sorted(known, key=lambda name: p_values[name])):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = reached
    return adjusted


def p_value(summary: Summary, than: float = 0.0) -> float:
    """Student's two-sided p-value of a mean: how rare one as far from `than` would be.

    Args:
      summary: of values, or of paired differences.
      than: the mean to test against, such as a claim's margin.

    Returns:
      From 0 to 1; NaN for fewer than two values. Without spread it is 1 at `than` and else 0.
    """
    if summary.n < 2:
        return math.nan
    distance = abs(summary.mean - than)
    if summary.std == 0:
        return float(distance == 0)
    return float(2 * stdtr(summary.n - 1, -distance / (summary.std / math.sqrt(summary.n))))
