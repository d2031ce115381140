"""Growth of a norm along depth: exponential and power-law fits, and the sites they exclude.

Both laws are straight lines through the logarithm of the squared norm, in the layer or unit index l
or in ln l. They have equally many parameters and fit the same values, so R^2 compares them. A fit
is made for each seed and intervals are taken over seeds: neighboring layers are not independent,
and resampling them would make intervals far too narrow.

Zero and nonfinite norms have no logarithm: they are reported and not fitted.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.stats
from jaxtyping import Bool, Float

from resnet_jax.errors import UserError
from resnet_jax.lab.statistics import Summary, summarize

Norms = Float[np.ndarray, " n"]
Mask = Bool[np.ndarray, " n"]
Better = Literal["exponential", "power law", "cannot tell"]

FEWEST_POINTS = 3  # two points fit every line
KEPT = ""


@dataclass(frozen=True)
class Selection:
    """Which sites of a profile a growth law is fitted to.

    The laws describe a repeated unit; the ends of a network and units that change the shape of the
    signal differ from it.

    Attributes:
      ends: exclude stem and head.
      shape_changes: exclude the first unit of every stage but the first, which changes resolution
        and width.
      first: number of units to exclude at the input.
      last: number of units to exclude at the output, where the gradient still has the direction
        that the head gave it; it takes about four units to lose it.
    """

    ends: bool = True
    shape_changes: bool = True
    first: int = 0
    last: int = 4


DEFAULT = Selection()


def reasons(
    stages: Sequence[int], units: Sequence[int], selection: Selection = DEFAULT
) -> list[str]:
    """Returns why each site of a profile is excluded from a fit.

    Args:
      stages: stage of each site in network order, from 1; 0 for stem and head.
      units: unit of each site within its stage, from 1; sites of one unit share its number.
      selection: the rules.

    Returns:
      "stem", "head", "shape change", "first units" or "last units" for each site; "" if it is kept.
    """
    places = list(zip(stages, units, strict=True))
    order = list(dict.fromkeys(place for place in places if place[0] > 0))
    first = set(order[: selection.first])
    last = set(order[max(0, len(order) - selection.last) :])
    entered = next((i for i, stage in enumerate(stages) if stage > 0), len(places))

    def reason(position: int) -> str:
        place = places[position]
        if place[0] == 0:
            end = "stem" if position < entered else "head"
            return end if selection.ends else KEPT
        if selection.shape_changes and place[0] > 1 and place[1] == 1:
            return "shape change"
        if place in last:
            return "last units"
        return "first units" if place in first else KEPT

    return [reason(position) for position in range(len(places))]


def kept(stages: Sequence[int], units: Sequence[int], selection: Selection = DEFAULT) -> Mask:
    """Returns a mask of the sites to fit: those without a reason to exclude them.

    Args:
      stages: see `reasons`.
      units: see `reasons`.
      selection: the rules.

    Example:
      >>> kept([0, 1, 1, 2, 2, 0], [0, 1, 2, 1, 2, 0], Selection(last=0)).tolist()
      [False, True, True, False, True, False]
    """
    return np.array([reason == KEPT for reason in reasons(stages, units, selection)], bool)


@dataclass(frozen=True)
class Line:
    """A least-squares line.

    Attributes:
      intercept: value at 0.
      slope: slope.
      r2: coefficient of determination; NaN if the values do not vary.
    """

    intercept: float
    slope: float
    r2: float


@dataclass(frozen=True)
class Growth:
    """Fits to one profile.

    Attributes:
      exponential: ln(norm^2) = intercept + slope l.
      power: ln(norm^2) = intercept + slope ln l.
      first_to_last: first norm of the whole profile over its last norm.
      used: the norms that are fitted.
      zeros: indices of selected norms that are exactly zero.
      nonfinite: indices of selected norms that are infinite or NaN.
    """

    exponential: Line
    power: Line
    first_to_last: float
    used: Mask
    zeros: tuple[int, ...]
    nonfinite: tuple[int, ...]

    @property
    def rate(self) -> float:
        """Growth factor of the squared norm per index, by the exponential fit."""
        return math.exp(self.exponential.slope)

    @property
    def exponent(self) -> float:
        """Exponent of the squared norm, by the power-law fit."""
        return self.power.slope


@dataclass(frozen=True)
class GrowthOverSeeds:
    """Fits to the profiles of several seeds: means over seeds with 95% intervals.

    Attributes:
      rate: growth factor of the squared norm per index, as a `geometric` mean.
      exponent: exponent of the power law.
      exponential_r2: R^2 of the exponential fit.
      power_r2: R^2 of the power-law fit.
      first_to_last: first norm over last norm, as a `geometric` mean.
      better: the fit with the greater R^2 if the interval of the paired difference excludes zero.
      by_seed: the fits of each seed.
    """

    rate: Summary
    exponent: Summary
    exponential_r2: Summary
    power_r2: Summary
    first_to_last: Summary
    better: Better
    by_seed: Mapping[int, Growth]


def fit(
    norms: Sequence[float] | Norms,
    selected: Mask | None = None,
    index: Sequence[float] | None = None,
) -> Growth:
    """Fits both laws to one profile.

    Args:
      norms: the norm (not squared) at each depth, from input to output.
      selected: mask of the norms to fit, as returned by `kept`; by default all.
      index: the index l of each norm; by default 1, 2, ..., excluded norms included.

    Returns:
      The fits; their lines are NaN with fewer than three norms to fit.

    Raises:
      UserError: a norm is negative, an index is not positive, or lengths differ.
    """
    values = np.asarray(norms, dtype=float)
    depth = np.arange(1.0, len(values) + 1) if index is None else np.asarray(index, dtype=float)
    mask = np.ones(len(values), bool) if selected is None else np.asarray(selected, bool)
    _validate(values, depth, mask)
    zero, finite = values == 0, np.isfinite(values)
    used = mask & ~zero & finite
    logs = 2 * np.log(values[used])
    return Growth(
        exponential=line(depth[used], logs),
        power=line(np.log(depth[used]), logs),
        first_to_last=first_to_last(values),
        used=used,
        zeros=_indices(mask & zero),
        nonfinite=_indices(mask & ~finite),
    )


def fit_seeds(
    profiles: Mapping[int, Sequence[float] | Norms],
    selected: Mask | None = None,
    index: Sequence[float] | None = None,
) -> GrowthOverSeeds:
    """Fits both laws to the profile of each seed and summarizes the fits.

    Args:
      profiles: norms by seed, all at the same depths.
      selected: see `fit`.
      index: see `fit`.

    Returns:
      The means over the seeds that have a fit; n counts these.
    """
    fits = {seed: fit(norms, selected, index) for seed, norms in profiles.items()}

    def over(value: Callable[[Growth], float]) -> Summary:
        return summarize(value(each) for each in fits.values())

    difference = over(lambda each: each.exponential.r2 - each.power.r2)
    return GrowthOverSeeds(
        rate=geometric(each.rate for each in fits.values()),
        exponent=over(lambda each: each.exponent),
        exponential_r2=over(lambda each: each.exponential.r2),
        power_r2=over(lambda each: each.power.r2),
        first_to_last=geometric(each.first_to_last for each in fits.values()),
        better=_better(difference),
        by_seed=fits,
    )


def line(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> Line:
    """Fits a least-squares line; NaN for fewer than three points, or if all x are equal."""
    if len(x) < FEWEST_POINTS or np.ptp(x) == 0:
        return Line(math.nan, math.nan, math.nan)
    fitted = scipy.stats.linregress(x, y)
    r2 = float(fitted.rvalue**2) if np.ptp(y) > 0 else math.nan
    return Line(float(fitted.intercept), float(fitted.slope), r2)


def first_to_last(norms: Norms) -> float:
    """The first norm over the last one; infinite over a zero, NaN for zero over zero."""
    if not len(norms):
        return math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.divide(norms[0], norms[-1]))


def geometric(values: Iterable[float]) -> Summary:
    """Summarizes positive values by their logarithms: geometric mean, median and interval.

    Ratios vary by factors, so it is their logarithms that are roughly normal. Values that are zero,
    infinite or NaN are ignored. The standard deviation is that of the values themselves.
    """
    given = np.array(list(values), dtype=float)
    given = given[np.isfinite(given) & (given > 0)]
    logs = summarize(np.log(given))
    mean, median, low, high = (
        float(np.exp(log)) for log in (logs.mean, logs.median, logs.low, logs.high)
    )
    return Summary(logs.n, mean, summarize(given).std, median, low, high)


def _better(difference: Summary) -> Better:
    if difference.low > 0:
        return "exponential"
    return "power law" if difference.high < 0 else "cannot tell"


def _indices(mask: Mask) -> tuple[int, ...]:
    return tuple(int(index) for index in np.flatnonzero(mask))


def _validate(values: Norms, depth: Norms, mask: Mask) -> None:
    if not len(values) == len(depth) == len(mask):
        raise UserError(
            f"lengths differ: {len(values)} norms, {len(depth)} indices, a mask of {len(mask)}; "
            "give one index and one entry of the mask for each norm"
        )
    if np.any(values < 0):
        raise UserError(
            f"norm {_indices(values < 0)[0]} of the profile is negative; norms are at least 0"
        )
    if np.any(depth <= 0):
        raise UserError(
            "an index of the profile is not positive; indices start at 1, because fits use ln l"
        )
