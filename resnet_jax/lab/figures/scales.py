"""Scales: their limits, ticks and numbers, and arrows for intervals that leave them."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, LogFormatterSciNotation, NullLocator
from matplotlib.transforms import ScaledTranslation, Transform

from resnet_jax.lab.figures import interactive, style
from resnet_jax.lab.measures import describe

Values = Float[np.ndarray, " n"]
Axis = Literal["x", "y"]

PLAIN_NUMBERS = (1e-3, 2e4)  # a log axis within these limits shows 0.1, 1, 10 for powers of ten
MARGIN = 0.02  # of a bounded scale: space for marks beyond its ends
REACH = 1.5  # of the range of the values: how far intervals may extend a scale

WIDE_RANGE = 10.0  # largest over smallest value, from which a scale of settings is logarithmic
GEOMETRIC = 0.05  # by how much the factors of a geometric progression may differ
EDGE = 0.08  # of the range of settings: space before the first and after the last
LETTER, GAP = 0.085, 0.08  # inches: width of a digit, distance between labels of ticks

ARROWS = {"x": ("<", ">"), "y": ("v", "^")}


def are_numbers(values: Iterable[Any]) -> bool:
    """Whether all values of an axis of the grid are numbers; `True` and `False` are names."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def is_logarithmic(values: Iterable[float]) -> bool:
    """Whether settings are positive and span a factor of ten, or grow by a constant factor.

    Example:
      >>> is_logarithmic((20, 32, 56)), is_logarithmic((0.1, 0.01)), is_logarithmic((16, 32, 64))
      (False, True, True)
    """
    ordered = np.unique(list(values)).astype(float)
    if len(ordered) < 2 or ordered[0] <= 0:
        return False
    factors = ordered[1:] / ordered[:-1]
    geometric = len(factors) > 1 and np.ptp(factors) <= GEOMETRIC * factors[0]
    return bool(ordered[-1] / ordered[0] >= WIDE_RANGE or geometric)


def number_settings(panel: Axes, values: Sequence[float], logarithmic: bool | None = None) -> None:
    """Places settings at their values on the horizontal axis, logarithmic where that suits them.

    Each has a tick; labels that would overlap are left out, but not the first and the last.

    Args:
      panel: a panel of the figure.
      values: the settings, in any order.
      logarithmic: whether the scale is; by default as `is_logarithmic` says.
    """
    ordered = np.unique(list(values)).astype(float)
    if logarithmic is None:
        logarithmic = is_logarithmic(ordered)
    scaled = np.log(ordered) if logarithmic else ordered
    edge = EDGE * (np.ptp(scaled) or 1.0)
    ends = np.array([scaled[0] - edge, scaled[-1] + edge])
    if logarithmic:
        panel.set_xscale("log")
    panel.set_xlim(*(np.exp(ends) if logarithmic else ends))
    place = panel.get_subplotspec()
    columns = place.get_gridspec().ncols if place else 1
    figure: Any = panel.figure
    width = 0.75 * figure.get_figwidth() / columns
    labels = spaced([f"{value:g}" for value in ordered], (scaled - ends[0]) / np.ptp(ends) * width)
    panel.xaxis.set_major_locator(FixedLocator(list(ordered)))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_ticks(list(ordered), labels)


def spaced(labels: Sequence[str], at: Values) -> list[str]:
    """Replaces labels that would overlap others by empty ones.

    Args:
      labels: the labels, from left to right.
      at: their centers, in inches.
    """
    half = [LETTER * len(label) / 2 for label in labels]
    shown = [0]
    for i in range(1, len(labels)):
        while i == len(labels) - 1 and len(shown) > 1 and not _apart(at, half, shown[-1], i):
            shown.pop()
        if _apart(at, half, shown[-1], i):
            shown.append(i)
    return [label if i in shown else "" for i, label in enumerate(labels)]


def _apart(at: Values, half: Sequence[float], i: int, j: int) -> bool:
    return bool(at[j] - half[j] - at[i] - half[i] >= GAP)


def beside(panel: Axes, points: float, axis: Axis = "x") -> Transform:
    """The transform of a panel's data, moved by some points (1/72 inch) along an axis."""
    figure: Any = panel.figure
    right, up = (points / 72, 0.0) if axis == "x" else (0.0, points / 72)
    return panel.transData + ScaledTranslation(right, up, figure.dpi_scale_trans)


def limit(
    panel: Axes, values: Values, ends: Values, axis: Axis = "y", bounds: Sequence[float] = ()
) -> None:
    """Limits a scale, so that all values are seen and wide intervals do not squeeze them.

    Args:
      panel: one of the panels that share the scale.
      values: what is always seen: seeds and means.
      ends: of intervals. An end that is further from the values than `REACH` times their range is
        not seen, and gets an arrow (`arrows`).
      axis: the scale.
      bounds: the least and the largest value that are possible.
    """
    logarithmic = getattr(panel, f"get_{axis}scale")() == "log"
    known, further = (_scaled(each, logarithmic) for each in (values, ends))
    if not len(known):
        return
    room = REACH * np.ptp(known) or np.inf
    reached = np.concatenate([known, further])
    low = max(reached.min(), known.min() - room)
    high = min(reached.max(), known.max() + room)
    edge = 0.05 * ((high - low) or 1.0)
    low, high = low - edge, high + edge
    if logarithmic:
        low, high = float(np.exp(low)), float(np.exp(high))
    least, most = bounds or (-math.inf, math.inf)
    if math.isfinite(least):
        high = min(high, most + MARGIN * (most - least)) if math.isfinite(most) else high
        low = least - MARGIN * (high - least)
    panel.set(**{f"{axis}lim": (low, high)})


def _scaled(values: Values, logarithmic: bool) -> Values:
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    return np.log(known[known > 0]) if logarithmic else known


def arrows(
    panel: Axes,
    at: Values,
    low: Values,
    high: Values,
    color: str,
    series: Sequence[str],
    *,
    axis: Axis = "y",
    points: float = 0.0,
) -> None:
    """Draws an arrow at the edge of a panel for each end of an interval that is beyond it.

    Args:
      panel: a panel whose limits are final.
      at: places along the other axis.
      low: lower ends; NaN without an interval.
      high: upper ends.
      color: color of the intervals.
      series: keys of the legend that they belong to.
      axis: the axis of the values.
      points: by how much the intervals are drawn beside their places.
    """
    ends = sorted(getattr(panel, f"get_{axis}lim")())
    for edge, marker, out in zip(
        ends, ARROWS[axis], (np.less(low, ends[0]), np.greater(high, ends[1])), strict=True
    ):
        if not out.any():
            continue
        places, edges = at[out], np.full(int(out.sum()), edge)
        x, y = (edges, places) if axis == "x" else (places, edges)
        other: Axis = "y" if axis == "x" else "x"
        (drawn,) = panel.plot(
            x, y, color=color, marker=marker, transform=beside(panel, points, other), **style.ARROW
        )
        interactive.mark(drawn, *series)


def scale_to(panel: Axes, measure: str, axis: Axis = "y") -> None:
    """Limits a scale to the values that the measure can take; one without bounds has a line at 0.

    Args:
      panel: a panel on which everything is drawn.
      measure: name of the measure.
      axis: the scale that shows the measure.
    """
    low, high = getattr(panel, f"get_{axis}lim")()
    least, most = describe(measure).bounds
    if math.isfinite(least):
        high = min(high, most + MARGIN * (most - least)) if math.isfinite(most) else high
        panel.set(**{f"{axis}lim": (least - MARGIN * (high - least), high)})
    elif low < 0 < high:
        zero_line(panel, axis)


def zero_line(panel: Axes, axis: Axis = "y") -> None:
    """Draws a line at zero."""
    line = panel.axvline if axis == "x" else panel.axhline
    line(0, color=style.INK, lw=0.8, zorder=1)


def logarithmic(panel: Axes) -> None:
    """Makes the vertical axis of a panel logarithmic."""
    panel.set_yscale("log")
    number_log_axis(panel)


def number_log_axis(panel: Axes) -> None:
    """Sets how a panel writes the numbers of its logarithmic vertical axis."""
    panel.yaxis.set_major_formatter(LogNumbers())
    panel.yaxis.set_minor_formatter(LogNumbers(labelOnlyBase=False, minor_thresholds=(1, 0.4)))


class LogNumbers(LogFormatterSciNotation):
    """Writes plain numbers (0.1, 1, 10) on an axis of moderate range, powers of ten otherwise."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        words = super().__call__(x, pos)
        axis: Any = self.axis
        low, high = sorted(axis.get_view_interval())
        plain = PLAIN_NUMBERS[0] <= low and high <= PLAIN_NUMBERS[1]
        return f"{x:g}" if words and plain else words
