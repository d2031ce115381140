"""How a norm grows along depth: as an exponential, or as a power law.

Both are straight lines through the logarithm of the squared norm, one in the index l of a layer or
unit, the other in ln l. They have as many parameters as each other and the same values to
explain, so that the greater R^2 says which fits better. A fit is made for each seed, and seeds
are what an interval is taken over: neighbouring layers are not independent of each other, and to
resample them would make the interval far too narrow.

Zeros and values that are not finite have no logarithm. A fit goes without them, and says which.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from resnet_jax.errors import UserError
from resnet_jax.lab.statistics import Summary, summarize

Norms = Float[np.ndarray, " n"]
Mask = Bool[np.ndarray, " n"]

FEWEST_POINTS = 3  # through two points every line goes


@dataclass(frozen=True)
class Line:
    """A least-squares line.

    Attributes:
      intercept: its value at 0.
      slope: its slope.
      r2: share of the variance that it explains; NaN if the values do not vary.
    """

    intercept: float
    slope: float
    r2: float


NO_LINE = Line(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Growth:
    """How one profile grows.

    Attributes:
      exponential: ln(norm^2) = intercept + slope l.
      power: ln(norm^2) = intercept + slope ln l.
      first_to_last: the first norm of the profile over its last one, of all that were given.
      used: which of the norms the lines are fitted to.
      zeros: indices of norms of exactly zero that were to be fitted.
      not_finite: indices of those that are infinite or NaN.
    """

    exponential: Line
    power: Line
    first_to_last: float
    used: Mask
    zeros: tuple[int, ...]
    not_finite: tuple[int, ...]

    @property
    def rate(self) -> float:
        """Factor of the squared norm from one index to the next, in the exponential fit."""
        return math.exp(self.exponential.slope)

    @property
    def exponent(self) -> float:
        """Exponent of the squared norm in the power-law fit."""
        return self.power.slope


@dataclass(frozen=True)
class GrowthOverSeeds:
    """The growth of several seeds' profiles: means over seeds, with their 95% intervals.

    Attributes:
      rate: factor of the squared norm for each index: the geometric mean, and the interval of the
        mean logarithm, taken back. Its deviation is that of the seeds' rates.
      exponent: of the power law.
      exponential_r2: R^2 of the exponential.
      power_r2: R^2 of the power law.
      first_to_last: first norm over last, as a geometric mean like the rate.
      better: which fit has the greater R^2, where the interval of the paired difference is on one
        side of zero.
      by_seed: the growth of each seed's profile.
    """

    rate: Summary
    exponent: Summary
    exponential_r2: Summary
    power_r2: Summary
    first_to_last: Summary
    better: Literal["exponential", "power law", "cannot tell"]
    by_seed: Mapping[int, Growth]


def analyse(
    norms: Sequence[float] | Norms,
    kept: Mask | None = None,
    index: Sequence[float] | None = None,
) -> Growth:
    """Fits both laws to one profile.

    Args:
      norms: a norm (not its square) at each depth, from the input to the output.
      kept: which to fit, for example by `selection.kept`; all by default.
      index: the l of each; 1, 2, ... by default, which the left-out ones count in.

    Returns:
      The fits; lines of NaN where fewer than three norms are left.

    Raises:
      UserError: a norm is negative, an l is not positive, or lengths differ.
    """
    values = np.asarray(norms, dtype=float)
    depth = np.arange(1.0, len(values) + 1) if index is None else np.asarray(index, dtype=float)
    asked = np.ones(len(values), bool) if kept is None else np.asarray(kept, bool)
    _check(values, depth, asked)
    zero, finite = values == 0, np.isfinite(values)
    used = asked & ~zero & finite
    logs = 2 * np.log(values[used])
    return Growth(
        exponential=line(depth[used], logs),
        power=line(np.log(depth[used]), logs),
        first_to_last=first_to_last(values),
        used=used,
        zeros=_indices(asked & zero),
        not_finite=_indices(asked & ~finite),
    )


def over_seeds(
    profiles: Mapping[int, Sequence[float] | Norms],
    kept: Mask | None = None,
    index: Sequence[float] | None = None,
) -> GrowthOverSeeds:
    """Fits both laws to each seed's profile, and summarises the fits.

    Args:
      profiles: the norms of each seed, all at the same depths.
      kept: see `analyse`.
      index: see `analyse`.

    Returns:
      Means over seeds. A seed without a fit has no part in them and lessens their n.
    """
    fits = {seed: analyse(norms, kept, index) for seed, norms in profiles.items()}

    def over(value: Callable[[Growth], float]) -> Summary:
        return summarize(value(fit) for fit in fits.values())

    difference = over(lambda fit: fit.exponential.r2 - fit.power.r2)
    return GrowthOverSeeds(
        rate=geometric(fit.rate for fit in fits.values()),
        exponent=over(lambda fit: fit.exponent),
        exponential_r2=over(lambda fit: fit.exponential.r2),
        power_r2=over(lambda fit: fit.power.r2),
        first_to_last=geometric(fit.first_to_last for fit in fits.values()),
        better=_better(difference),
        by_seed=fits,
    )


def line(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> Line:
    """The least-squares line through points; NaN for fewer than three, or if no x differs."""
    if len(x) < FEWEST_POINTS or np.ptp(x) == 0:
        return NO_LINE
    from_mean = x - x.mean()
    slope = float(from_mean @ y / (from_mean @ from_mean))
    intercept = float(y.mean() - slope * x.mean())
    left = float(np.sum((y - intercept - slope * x) ** 2))
    whole = float(np.sum((y - y.mean()) ** 2))
    return Line(intercept, slope, 1 - left / whole if whole > 0 else math.nan)


def first_to_last(norms: Norms) -> float:
    """The first norm over the last one; infinite over a zero, NaN for zero over zero."""
    if not len(norms):
        return math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.divide(norms[0], norms[-1]))


def geometric(values: Iterable[float]) -> Summary:
    """Mean, median and interval of positive values through their logarithms.

    Ratios spread by factors, so that it is their logarithms that Student's interval suits. Values
    of zero, infinity and NaN are left out and lessen n. The deviation is that of the values.
    """
    given = np.array(list(values), dtype=float)
    given = given[np.isfinite(given) & (given > 0)]
    logs = summarize(np.log(given))
    mean, median, low, high = (
        float(np.exp(log)) for log in (logs.mean, logs.median, logs.low, logs.high)
    )
    return Summary(logs.n, mean, summarize(given).std, median, low, high)


def _better(difference: Summary) -> Literal["exponential", "power law", "cannot tell"]:
    if difference.low > 0:
        return "exponential"
    return "power law" if difference.high < 0 else "cannot tell"


def _indices(mask: Mask) -> tuple[int, ...]:
    return tuple(int(index) for index in np.flatnonzero(mask))


def _check(values: Norms, depth: Norms, asked: Mask) -> None:
    if not len(values) == len(depth) == len(asked):
        raise UserError(
            f"a profile of {len(values)} norms has {len(depth)} indices and a mask of {len(asked)};"
            " give one of each for each norm"
        )
    if np.any(values < 0):
        raise UserError(f"norm {_indices(values < 0)[0]} of a profile is negative; give norms")
    if np.any(depth <= 0):
        raise UserError("the index of a profile starts at 1: a power law has no value at 0")
