"""How figures look: legible on a slide, in grey and to colour-blind eyes."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from resnet_jax.lab.design.protocols import AxisValue
from resnet_jax.lab.measures import describe

DOTS_PER_INCH = 200
PANEL_WIDTH, PANEL_HEIGHT, LEGEND_WIDTH = 3.9, 3.3, 1.2  # inches

INK, FAINT = "#222222", "#dddddd"

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be searched, and takes the page's font
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that figures are alike everywhere
    "font.size": 11,
    "axes.labelsize": 11,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.handlelength": 2.8,
    "figure.constrained_layout.use": True,
}

BAND: dict[str, Any] = {"alpha": 0.2, "linewidth": 0}
MEAN: dict[str, Any] = {"markersize": 7, "zorder": 3}
INTERVAL: dict[str, Any] = {"ls": "none", "capsize": 4, "elinewidth": 1.5, "zorder": 3}
SEED: dict[str, Any] = {
    "markersize": 4.5,
    "fillstyle": "none",
    "markeredgewidth": 1.1,
    "ls": "none",
}

# Okabe and Ito (2008). In grey, dashes and markers tell them apart.
_HUES = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (3, 1.5)), (0, (8, 3)))
_MARKERS = ("s", "o", "^", "D", "v", "P", "X")


@dataclass(frozen=True)
class Look:
    """How one value of an axis is drawn: told apart by its colour, its dashes and its marker."""

    color: str
    dashes: Any
    marker: str


def looks(values: Sequence[AxisValue]) -> dict[AxisValue, Look]:
    """A look for each value of an axis.

    Args:
      values: the axis's values, in their order.

    Returns:
      For numbers, colours of one scale that darkens with the number; for names, distinct hues.
    """
    ordered = all(isinstance(value, int | float) for value in values)
    colors = _scale(len(values)) if ordered else _HUES
    return {
        value: Look(
            colors[place % len(colors)],
            _DASHES[place % len(_DASHES)],
            _MARKERS[place % len(_MARKERS)],
        )
        for place, value in enumerate(values)
    }


def row_of_panels(
    count: int, *, sharex: bool = False, sharey: bool = False
) -> tuple[Figure, list[Axes]]:
    """A figure with panels side by side and room for a legend at its right.

    Args:
      count: how many panels.
      sharex: whether they have one horizontal scale.
      sharey: whether they have one vertical scale.
    """
    figure = Figure(figsize=(PANEL_WIDTH * count + LEGEND_WIDTH, PANEL_HEIGHT))
    panels = figure.subplots(1, count, squeeze=False, sharex=sharex, sharey=sharey)
    return figure, list(panels[0])


def scale_of(panel: Axes, measure: str, axis: Literal["x", "y"] = "y") -> None:
    """Names a scale, and shows of it what the measure allows: intervals may reach further.

    Where zero is within the scale, and no end of it, a line marks it.

    Args:
      panel: with all that it is to show.
      measure: name of the measure.
      axis: which scale is the measure's.
    """
    known = describe(measure)
    panel.set(**{f"{axis}label": known.axis_label})
    low, high = getattr(panel, f"get_{axis}lim")()
    least, most = known.bounds
    if math.isfinite(least):
        high = min(high, most + 0.02 * (most - least))
        panel.set(**{f"{axis}lim": (least - 0.02 * (high - least), high)})  # room for marks
    elif low < 0 < high:
        line = panel.axvline if axis == "x" else panel.axhline
        line(0, color=INK, lw=0.8, zorder=1)


def title(words: str) -> str:
    """Words as they stand at the head of a panel or on a scale: the first letter large.

    What begins with a name in code, one with a digit, a dot or a sign in it, stays as it is.
    """
    first = words.partition(" ")[0]
    return words if re.search(r"[\d._=/]", first) else words[:1].upper() + words[1:]


def _scale(count: int) -> list[str]:
    # Viridis from its green to its violet: what is lighter would not show on white.
    scale = matplotlib.colormaps["viridis"]
    places = [0.68 * (1 - i / max(count - 1, 1)) for i in range(count)]
    return [to_hex(scale(place)) for place in places]
