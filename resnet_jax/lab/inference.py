"""Inference on the mean of a few seeds that holds for skewed values and for values without spread.

Three things set it apart from Student's t (`statistics`):

- *A long tail.* Errors and losses have a long upper tail: some seeds train badly or not at all. A
  bound on the side of the tail takes the larger of two p-values: Student's, and that of the same t
  statistic where a share of the variance is exponential, which is simulated. Student's 2.5% is 11%
  there for exponential values, at any n up to 10. The share is 1 for one cell. For the difference
  of two cells, whose tails point in opposite directions, it follows from the two variances.
- *A floor of the spread.* The standard deviation of an error rate is taken as at least one example:
  three equal errors of 0 in 360 do not show that every seed has that error.
- *No spread, no decision.* Equal values without a floor have no interval, and p = 1.

No rule over n clean seeds can exclude rare failures. `share_at_most` is what they do show.
"""

import bisect
import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import special

from resnet_jax.lab.measures import Measure
from resnet_jax.lab.statistics import CONFIDENCE, Summary

POWER = 0.8  # chance to decide that `needed` asks for
MOST_SEEDS = 1000  # the largest number that `needed` returns

_ROUNDING = 1e-9  # a spread below this share of the values is that of rounding
_TRIALS = 200_000
_EXTRAPOLATED = 100  # trials beyond the quantile up to which the simulation is used as it is
TAIL_SHARES = (0.1, 0.5, 0.7, 0.85, 0.95, 1.0)  # of the variance; up to the first, none
CAUTION = 4.0  # odds of the share are multiplied by this: it is estimated from few seeds
_SIMULATED = 32  # beyond this n the tail is that at this n


@dataclass(frozen=True)
class Sample:
    """One value for each seed: values of one cell, or paired differences of two.

    Attributes:
      values: the finite values, in the unit of the measure.
      floor: smallest standard deviation that is believed, in the same unit; 0 for none.
      bounds: the smallest and the largest value that the mean can have.
      tails: the shares of the variance that belong to a long lower and to a long upper tail, each
        in 0 to 1; 0 without such a tail.
    """

    values: tuple[float, ...]
    floor: float = 0.0
    bounds: tuple[float, float] = (-math.inf, math.inf)
    tails: tuple[float, float] = (0.0, 0.0)

    @property
    def n(self) -> int:
        """The number of values."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """The mean of the values; NaN without any."""
        return float(np.mean(self.values)) if self.n else math.nan

    @property
    def std(self) -> float:
        """The standard deviation of the values (n - 1 in the denominator); NaN below two values."""
        return float(np.std(self.values, ddof=1)) if self.n > 1 else math.nan

    @property
    def spread(self) -> float:
        """The standard deviation, at least the floor; 0 if it is that of rounding."""
        largest = max(map(abs, self.values), default=0.0)
        spread = self.std if self.std > _ROUNDING * largest else 0.0
        return max(spread, self.floor) if self.n > 1 else math.nan

    @property
    def error(self) -> float:
        """The standard error of the mean, from `spread`."""
        return self.spread / math.sqrt(self.n) if self.n else math.nan

    def p_above(self, than: float) -> float:
        """The one-sided p-value of "the mean is at most `than`": small if it is above."""
        return self._p(self.mean - than, self.tails[0])

    def p_below(self, than: float) -> float:
        """The one-sided p-value of "the mean is at least `than`": small if it is below."""
        return self._p(than - self.mean, self.tails[1])

    def _p(self, distance: float, tail: float) -> float:
        if self.n < 2:
            return math.nan
        if math.isinf(distance):
            return 0.0 if distance > 0 else 1.0
        return float(tail_p(distance / self.error, self.n, tail)) if self.error else 1.0

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """The confidence interval of the mean, within the bounds.

        It consists of the values that neither `p_above` nor `p_below` rejects at
        (1 - confidence) / 2; the bounds do not change its coverage.

        Returns:
          The lower and the upper end; NaN for fewer than two values or without spread.
        """
        if not self.error or math.isnan(self.error):
            return math.nan, math.nan
        level = (1 - confidence) / 2
        reach = [critical(level, self.n, tail) * self.error for tail in self.tails]
        low, high = self.mean - reach[0], self.mean + reach[1]
        return max(low, self.bounds[0]), min(high, self.bounds[1])

    @property
    def summary(self) -> Summary:
        """Mean, standard deviation (as it is), median, and the 95% interval."""
        median = float(np.median(self.values)) if self.n else math.nan
        return Summary(self.n, self.mean, self.std, median, *self.interval())


def sample(values: Iterable[float], measure: Measure, examples: float = math.nan) -> Sample:
    """Makes the sample of one cell.

    Args:
      values: one for each run; those that are not finite are left out.
      measure: gives bounds, tail, and whether the values are errors in percent.
      examples: number of examples of the split of an error; NaN if unknown.
    """
    finite = tuple(float(value) for value in values if math.isfinite(value))
    tails = (float(measure.long_tail == "lower"), float(measure.long_tail == "upper"))
    return Sample(finite, _floor(measure, examples), measure.bounds, tails)


def difference(
    a: Mapping[int, float],
    b: Mapping[int, float],
    measure: Measure,
    examples: float = math.nan,
) -> Sample:
    """Makes the sample of the differences a - b, paired by seed.

    The upper tail of a is the upper tail of the difference, that of b its lower tail.

    Args:
      a: values by seed in one cell.
      b: values by seed in another cell.
      measure: gives bounds, tail, and whether the values are errors in percent.
      examples: number of examples of the split of an error; NaN if unknown.

    Returns:
      The sample, over the seeds with a finite value in both cells.
    """
    seeds = [
        seed
        for seed in sorted(set(a) & set(b))
        if math.isfinite(a[seed]) and math.isfinite(b[seed])
    ]
    floor = _floor(measure, examples)
    reach = measure.bounds[1] - measure.bounds[0]
    tails = (0.0, 0.0)
    if measure.long_tail and len(seeds) > 1:
        of_a, of_b = (
            max(float(np.var([of[seed] for seed in seeds], ddof=1)), floor**2) for of in (a, b)
        )
        lower, upper = (of_b, of_a) if measure.long_tail == "upper" else (of_a, of_b)
        tails = _share(lower, upper), _share(upper, lower)
    return Sample(tuple(a[seed] - b[seed] for seed in seeds), floor, (-reach, reach), tails)


def _floor(measure: Measure, examples: float) -> float:
    return 100 / examples if measure.share_of and examples > 0 else 0.0


def _share(of_one: float, of_other: float) -> float:
    """The share of one of two variances in their sum, with caution."""
    odds = CAUTION * of_one
    return odds / (odds + of_other) if odds else 0.0


def tail_p(
    t: float | Float[np.ndarray, " t"], n: int, tail: float = 0.0
) -> Float[np.ndarray, "..."]:
    """The chance that the t statistic of n values exceeds `t`, by chance alone.

    Args:
      t: the statistic: distance of the mean from the hypothesis over its standard error.
      n: number of values.
      tail: share of the variance in an exponential tail that points away from the hypothesis.

    Returns:
      The larger of the p-values of normal values and of values with such a tail.
    """
    student = special.stdtr(n - 1, -np.asarray(t))
    if (simulated := _simulated(n, tail)) is None:
        return student
    # Beyond the last of the trials, the ratio to Student's distribution tends to a constant.
    last, ratio = _end(simulated, n)
    beyond = np.minimum(0.5, ratio * student)
    found = 1 - np.searchsorted(simulated, t) / len(simulated)
    return np.maximum(student, np.where(np.asarray(t) >= last, beyond, found))


def critical(level: float, n: int, tail: float = 0.0) -> float:
    """The value that the t statistic exceeds with a chance of `level`: inverse of `tail_p`."""
    student = -float(special.stdtrit(n - 1, level))
    if (simulated := _simulated(n, tail)) is None:
        return student
    if level * len(simulated) <= _EXTRAPOLATED:
        _, ratio = _end(simulated, n)
        return -float(special.stdtrit(n - 1, level / ratio))
    return max(student, float(simulated[-math.ceil(level * len(simulated))]))


def _end(simulated: Float[np.ndarray, " trials"], n: int) -> tuple[float, float]:
    """The largest quantile that is taken from the trials, and its ratio to Student's p-value."""
    last = float(simulated[-_EXTRAPOLATED])
    student = float(special.stdtr(min(n, _SIMULATED) - 1, -last))
    return last, max(1.0, _EXTRAPOLATED / len(simulated) / student)


def _simulated(n: int, tail: float) -> Float[np.ndarray, " trials"] | None:
    if tail <= TAIL_SHARES[0]:
        return None
    return _statistics(
        min(n, _SIMULATED), next(each for each in TAIL_SHARES if each >= tail - 1e-9)
    )


@functools.cache
def _statistics(n: int, share: float) -> Float[np.ndarray, " trials"]:
    """Sorted t statistics of n values with mean 0, whose tail points to the negative side.

    Each is minus the statistic of sqrt(1 - share) N + sqrt(share) (E - 1) with N normal and E
    exponential, so that large values are those that come from samples without a value in the tail.
    """
    rng = np.random.default_rng([n, round(100 * share)])
    found = np.empty(_TRIALS)
    for part in np.array_split(np.arange(_TRIALS), 8):
        size = len(part), n
        values = math.sqrt(share) * (rng.exponential(size=size) - 1)
        if share < 1:
            values += math.sqrt(1 - share) * rng.normal(size=size)
        found[part] = -values.mean(1) / (values.std(1, ddof=1) / math.sqrt(n))
    return np.sort(found)


def power(effect: float, n: int, level: float, tail: float = 0.0) -> float:
    """The chance that n normal values show that their mean is on one side of a hypothesis.

    Args:
      effect: distance of the mean from the hypothesis, in standard deviations.
      n: number of values.
      level: the one-sided level.
      tail: as in `tail_p`; it raises the bar.

    Returns:
      The chance, by the noncentral t distribution.
    """
    below = special.nctdtr(n - 1, effect * math.sqrt(n), critical(level, n, tail))
    return 1 - float(below)


def needed(effect: float, level: float, tail: float = 0.0) -> int:
    """The number of seeds at which a claim is decided with a chance of 80%.

    Args:
      effect: distance of the mean from the margin, in standard deviations.
      level: the one-sided level that the claim faces.
      tail: as in `tail_p`.

    Returns:
      The number, above 20 in steps of a tenth; at least 3, and 1000 for that many or more.
    """
    numbers = [*range(3, 20), *(round(20 * 1.1**k) for k in range(41)), MOST_SEEDS]
    enough = bisect.bisect_left(
        numbers, True, hi=len(numbers) - 1, key=lambda n: power(effect, n, level, tail) >= POWER
    )
    return numbers[enough]


def share_at_most(found: int, n: int, confidence: float = CONFIDENCE) -> float:
    """The upper confidence bound of a share of which `found` of n were seen (Clopper-Pearson).

    Example:
      >>> round(share_at_most(0, 5), 2)  # 1 - 0.05^(1/5)
      0.45
    """
    return 1.0 if found == n else float(special.betaincinv(found + 1, n - found, confidence))


def of_examples(
    error: float, examples: float, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Wilson's interval of an error rate over the examples of its split (Wilson 1927).

    It says how far the error on other examples of the same kind may be, for the networks as they
    are; `Sample.interval` says how far the mean over other seeds may be, on these examples.

    Args:
      error: mean error over seeds, in percent.
      examples: number of examples of the split; NaN if unknown.
      confidence: the nominal coverage.

    Returns:
      The lower and the upper end, in percent; NaN if error or number is unknown.
    """
    if not (math.isfinite(error) and examples > 0):
        return math.nan, math.nan
    z = float(special.ndtri(0.5 + confidence / 2))
    share, weight = error / 100, 1 / (1 + z**2 / examples)
    middle = weight * (share + z**2 / (2 * examples))
    reach = weight * z * math.sqrt(share * (1 - share) / examples + z**2 / (4 * examples**2))
    return max(0.0, 100 * (middle - reach)), min(100.0, 100 * (middle + reach))
