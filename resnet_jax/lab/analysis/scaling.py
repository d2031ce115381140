"""Scaling laws: a final measure y against the numbers x of an axis, such as depth or width.

    power law      y = a x^b         ln y = ln a + b ln x
    exponential    y = a exp(b x)    ln y = ln a + b x

Each seed gives a least-squares slope through the logarithms of its runs, and the interval of b is
Student's t interval of these slopes. It holds for normal logarithms, however the runs of a seed
depend on each other and however the spread changes with x, where one regression through all runs
would assume independent runs of equal spread. Simulated with 5 seeds at 3 depths, 95% intervals
cover b in 94 to 96% of cases; in 88% if the logarithms of the deepest network vary as an
exponential does, and in 68% if one in five of its runs fails and the others agree.

Which law fits better is a t test too, because noise alone makes one R^2 the larger. With
u = (z - mean(z)) / |z - mean(z)| for z = x and for z = ln x, the sums of squared residuals of the
mean logarithms m differ by

    exponential - power law = ((u_ln - u_x) . m) ((u_ln + u_x) . m).

The second factor has the sign of the trend, so the first decides, a linear function of the runs of
each seed. If one of the laws is true, the other is named in at most 2.5% of cases.

The laws are compared over the x that were run: the one that fits better there may fail beyond.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Float

from resnet_jax.lab.analysis import growth
from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.formatting import count, number
from resnet_jax.lab.inference import Sample
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records, of_cell

LawName = Literal["power law", "exponential"]
Sizes = Float[np.ndarray, " sizes"]
Logs = Float[np.ndarray, "seeds sizes"]

FEWEST_SEEDS = 3
LEAST_R2 = 0.9  # of the better law; below it the means follow neither


@dataclass(frozen=True)
class Law:
    """One law fitted to a measure: ln y = intercept + slope z, with z = x or z = ln x.

    Attributes:
      slope: b, mean over seeds.
      low: lower end of its 95% interval; NaN if the seeds do not differ.
      high: upper end.
      intercept: ln a, mean over seeds.
      r2: R^2 of the mean logarithms; NaN if they do not vary.
    """

    slope: float
    low: float
    high: float
    intercept: float
    r2: float

    @property
    def told(self) -> str:
        """b with its interval, with the digits that it supports: `0.97 (0.90 to 1.05)`."""
        width = self.high - self.low
        places = max(0, 1 - math.floor(math.log10(width))) if width > 0 else 2
        b, low, high = (number(each, places) for each in (self.slope, self.low, self.high))
        return f"{b} ({low} to {high})" if width > 0 else b


@dataclass(frozen=True)
class Scaling:
    """Both laws fitted to a measure, and which fits better.

    Attributes:
      laws: the fit of each law.
      better: the law with the smaller sum of squares; None if the test cannot tell, and without a
        trend.
      trend: whether the 95% interval of a slope excludes zero.
      sizes: the x.
    """

    laws: Mapping[LawName, Law]
    better: LawName | None
    trend: bool
    sizes: tuple[float, ...]

    def curve(self, law: LawName, at: Sizes) -> Sizes:
        """The fitted y at values of x, which are positive."""
        fitted = self.laws[law]
        return np.exp(fitted.intercept + fitted.slope * regressor(law, at))


@dataclass(frozen=True)
class Fit:
    """The fit of a measure along an axis, or why there is none.

    Attributes:
      measure: the measure.
      axis: the axis of the x.
      cell: the values of the other axes.
      seeds: number of seeds with a value at each x; only these are fitted.
      scaling: the fit; None if there is none to show.
      reason: why there is none; empty if there is one.
      others: number of runs with a value whose seed has none at another x.
      diverged: number of fitted runs that diverged, and have the value declared for that.
    """

    measure: str
    axis: str
    cell: Cell
    seeds: int
    scaling: Scaling | None
    reason: str
    others: int
    diverged: int


def regressor(law: LawName, at: Sizes) -> Sizes:
    """What ln y is a straight line in: ln x for the power law, x for the exponential."""
    return np.log(at) if law == "power law" else np.asarray(at, float)


def is_logarithm(measure: str) -> bool:
    """Whether a measure is a logarithm to base 10; the laws are then those of 10 to its power."""
    return describe(measure).unit.startswith("log10")


def in_unit(y: Sizes, measure: str) -> Sizes:
    """Values of y in the unit of a measure: their logarithms to base 10 if it is measured so."""
    return np.log10(y) if is_logarithm(measure) else y


def fit(sizes: Sizes, logs: Logs) -> Scaling:
    """Fits both laws to the logarithms of a measure.

    Args:
      sizes: the values of x: at least three, positive and different.
      logs: ln y of each seed at each x.
    """
    units, laws = {}, {}
    mean = logs.mean(axis=0)
    for name in get_args(LawName):
        z = regressor(name, sizes)
        centered = z - z.mean()
        length = np.linalg.norm(centered)
        units[name] = centered / length
        slopes = Sample(tuple(logs @ units[name] / length))
        intercept = float(mean.mean() - slopes.mean * z.mean())
        laws[name] = Law(slopes.mean, *slopes.interval(), intercept, growth.line(z, mean).r2)
    power, exponential = (units[name] for name in get_args(LawName))
    trend = any(law.low > 0 or law.high < 0 for law in laws.values())
    sign = np.sign((power + exponential) @ mean)
    better = _better(Sample(tuple(sign * logs @ (power - exponential)))) if trend else None
    return Scaling(laws, better, trend, tuple(sizes))


def fit_seeds(logs: pd.DataFrame) -> Scaling | None:
    """Fits both laws to the seeds that have a value at each x.

    Args:
      logs: ln y, a row for each seed and a column for each x; NaN or infinite without a value.

    Returns:
      The fits; None with fewer than three x, or without such a seed.
    """
    table = _complete(logs)
    if table.shape[1] < growth.FEWEST_POINTS or not len(table):
        return None
    return fit(table.columns.to_numpy(float), table.to_numpy())


def along(records: Records, measure: str, axis: str, cell: Cell) -> Fit:
    """Fits a measure along an axis.

    Args:
      records: the experiment's records.
      measure: the measure.
      axis: an axis of positive numbers (see `numeric_axes`).
      cell: a value for each other axis.

    Returns:
      The fit. There is none with fewer than three values of x or three seeds, where a value has no
      logarithm, where no slope differs from zero, and where the means follow neither law.
    """
    runs = of_cell(records.runs, cell)
    values = runs.pivot(index="seed", columns=axis, values=measure).astype(float)
    complete = _complete(values)
    others = int(np.isfinite(values.to_numpy()).sum() - complete.size)
    diverged = int((runs[runs["seed"].isin(complete.index)]["status"] == "diverged").sum())
    scaling, reason = _fit_or_reason(measure, complete)
    return Fit(measure, axis, cell, len(complete), scaling, reason, others, diverged)


def fits(records: Records) -> list[Fit]:
    """Fits each measure along each numeric axis, for each line of the other axes, in grid order."""
    found = []
    for axis in numeric_axes(records):
        others = [each for each in records.experiment.axes if each != axis]
        lines: list[dict[Any, Any]] = [{}]
        if others:
            lines = records.runs[others].drop_duplicates().to_dict("records")
        for measure in records.experiment.measures:
            found += [along(records, measure, axis, cell) for cell in lines]
    return found


def numeric_axes(records: Records) -> list[str]:
    """The axes of at least three different positive numbers; names such as "wrn16-2" are none."""
    return [
        axis
        for axis, values in records.experiment.axes.items()
        if all(isinstance(v, int | float) and not isinstance(v, bool) and v > 0 for v in values)
        and len(set(values)) >= growth.FEWEST_POINTS
    ]


def _complete(values: pd.DataFrame) -> pd.DataFrame:
    """The seeds with a finite value at each x that has any."""
    return values.where(np.isfinite(values)).dropna(axis=1, how="all").dropna()


def _fit_or_reason(measure: str, values: pd.DataFrame) -> tuple[Scaling | None, str]:
    """The fit to a table of seeds by sizes without gaps, or why there is none."""
    seeds, sizes = values.shape
    if sizes < growth.FEWEST_POINTS:
        return None, f"fewer than {growth.FEWEST_POINTS} points with a value: {sizes}"
    if seeds < FEWEST_SEEDS:
        return None, f"fewer than {FEWEST_SEEDS} seeds with a value at every point: {seeds}"
    table = values.to_numpy()
    if not is_logarithm(measure) and (none := int((table <= 0).sum())):
        return None, f"{none} of {count(table.size, 'value')} are 0 or below: no logarithm"
    logs = table * math.log(10) if is_logarithm(measure) else np.log(table)
    scaling = fit(values.columns.to_numpy(float), logs)
    if all(math.isnan(law.low) for law in scaling.laws.values()):
        return None, "the seeds do not differ, which gives no interval"
    if not scaling.trend:
        return None, "no trend beyond the spread of the seeds"
    r2 = max(law.r2 for law in scaling.laws.values())
    if r2 < LEAST_R2:
        return None, f"the means follow neither law (R² at most {number(r2, 2)})"
    return scaling, ""


def _better(contrast: Sample) -> LawName | None:
    low, high = contrast.interval()
    if low > 0:
        return "power law"
    return "exponential" if high < 0 else None
