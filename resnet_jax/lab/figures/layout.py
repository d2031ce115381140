"""Panels, scales and legends."""

import math
from collections.abc import Sequence
from typing import Any, Literal

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation

from resnet_jax.lab.design.protocols import AxisValue
from resnet_jax.lab.figures import style
from resnet_jax.lab.formatting import capitalized
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records

PLAIN_NUMBERS = (1e-3, 2e4)  # a log axis within these limits shows 0.1, 1, 10 for powers of ten
MARGIN = 0.02  # of a bounded scale: space for marks beyond its ends
KEY_ROW, KEYS_IN_PANEL = 0.3, 3  # height of a row of keys in inches; keys that fit below a panel


def row_of_panels(
    count: int, *, sharex: bool = False, sharey: bool = False
) -> tuple[Figure, list[Axes]]:
    """Makes a figure of panels side by side, with space for a legend at the right.

    Args:
      count: number of panels.
      sharex: whether they share the horizontal scale.
      sharey: whether they share the vertical scale.
    """
    figure = Figure(figsize=(style.PANEL_WIDTH * count + style.LEGEND_WIDTH, style.PANEL_HEIGHT))
    panels = figure.subplots(1, count, squeeze=False, sharex=sharex, sharey=sharey)
    return figure, list(panels[0])


def title(records: Records, word: AxisValue) -> str:
    """The label of an axis or of a value of one, capitalized."""
    return capitalized(records.experiment.label(word))


def scale_to(panel: Axes, measure: str, axis: Literal["x", "y"] = "y") -> None:
    """Labels a scale and limits it to the values that the measure can take.

    Intervals may extend beyond these values. An unbounded scale gets a line at zero.

    Args:
      panel: a panel on which everything is drawn.
      measure: name of the measure.
      axis: the scale that shows the measure.
    """
    known = describe(measure)
    panel.set(**{f"{axis}label": known.axis_label})
    low, high = getattr(panel, f"get_{axis}lim")()
    least, most = known.bounds
    if math.isfinite(least):
        high = min(high, most + MARGIN * (most - least))
        panel.set(**{f"{axis}lim": (least - MARGIN * (high - least), high)})
    elif low < 0 < high:
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


def line_legend(
    figure: Figure, panels: Sequence[Axes], records: Records, axis: str, titled: bool = True
) -> None:
    """Adds a legend of the lines, at the right of the panels.

    Args:
      figure: the figure.
      panels: its panels; the label of a line is the title of a value of the axis.
      records: the experiment's records.
      axis: the axis that the lines distinguish; empty for a single line, without a legend.
      titled: whether the axis is the legend's title.
    """
    if not axis:
        return
    keys: dict[str, Artist] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            keys.setdefault(label, handle)
    labels = [title(records, value) for value in records.experiment.axes[axis]]
    drawn = [keys[label] for label in labels if label in keys]
    legend_beside(figure, drawn, title(records, axis) if titled else "")


def legend_beside(figure: Figure, keys: Sequence[Artist], title: str = "") -> None:
    """Adds a legend at the right of the panels, if there are keys."""
    if keys:
        place: Any = "outside right upper"
        figure.legend(handles=keys, loc=place, title=title or None, alignment="left")


def legend_below(figure: Figure, keys: Sequence[Artist], panels: int = 1) -> None:
    """Adds a legend below the panels, if there are keys, and makes the figure higher for it."""
    if not keys:
        return
    columns = min(len(keys), KEYS_IN_PANEL * panels)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + KEY_ROW * -(-len(keys) // columns))
    place: Any = "outside lower center"
    figure.legend(handles=keys, loc=place, ncols=columns, handlelength=2.0, columnspacing=1.4)
