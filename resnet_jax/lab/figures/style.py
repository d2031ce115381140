"""Style of the figures: legible on a slide, in grayscale and with color vision deficiency."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.colors import to_hex

from resnet_jax.lab.design.protocols import AxisValue

DOTS_PER_INCH = 200
PANEL_WIDTH, PANEL_HEIGHT, LEGEND_WIDTH = 3.7, 3.1, 1.2  # inches
TYPE = 10  # points, of all text in all figures

INK, FAINT = "#222222", "#dddddd"


@dataclass(frozen=True)
class Format:
    """The room for a figure. Figures are not scaled afterwards, so that their text has one size.

    Attributes:
      width: the largest width in inches; 96 pixels of a page each.
      columns: how many panels are side by side at most.
      panel_height: height of a panel in inches.
    """

    width: float
    columns: int
    panel_height: float

    @property
    def stacked(self) -> bool:
        """Whether all panels are below each other, and legends above them."""
        return self.columns == 1


WIDE = Format(8.6, 3, PANEL_HEIGHT)  # the column of a report, of 52rem
NARROW = Format(3.55, 1, 2.6)  # a page of 390 pixels with margins

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays searchable and takes the font of the page
    "font.family": "DejaVu Sans",  # shipped with matplotlib: the same on every machine
    "font.size": TYPE,
    **dict.fromkeys(
        (
            "axes.labelsize",
            "axes.titlesize",
            "xtick.labelsize",
            "ytick.labelsize",
            "legend.fontsize",
            "legend.title_fontsize",
        ),
        TYPE,
    ),
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
    "axes.facecolor": "none",
    "legend.frameon": False,
    "legend.handlelength": 2.8,
    "figure.constrained_layout.use": True,
}

BAND: dict[str, Any] = {"alpha": 0.09, "linewidth": 0}
MEAN: dict[str, Any] = {"markersize": 5.5, "zorder": 3}
INTERVAL: dict[str, Any] = {"ls": "none", "capsize": 3.5, "elinewidth": 1.4, "zorder": 2.6}
SEED: dict[str, Any] = {"markersize": 4.5, "markeredgewidth": 0, "alpha": 0.5, "ls": "none"}
ARROW: dict[str, Any] = {"ls": "none", "markersize": 6, "clip_on": False, "zorder": 4}
DIVERGED: dict[str, Any] = {"markersize": 5, "markeredgewidth": 1.2, "ls": "none"}
SEED_LINE: dict[str, Any] = {"linewidth": 0.7, "alpha": 0.45, "zorder": 1.9}

# Okabe and Ito (2008); dashes and markers distinguish them in grayscale.
_HUES = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (3, 1.5)), (0, (8, 3)))
_MARKERS = ("s", "o", "^", "D", "v", "P", "X")


@dataclass(frozen=True)
class Look:
    """Color, dashes and marker of one value of an axis."""

    color: str
    dashes: Any
    marker: str


def looks(values: Sequence[AxisValue]) -> dict[AxisValue, Look]:
    """Assigns a look to each value of an axis.

    Args:
      values: the values, in their order.

    Returns:
      The looks: numbers get a sequential color scale that darkens as they grow, names distinct
      hues.
    """
    ordered = all(isinstance(value, int | float) for value in values)
    colors = _sequential(len(values)) if ordered else _HUES
    return {
        value: Look(
            colors[place % len(colors)],
            _DASHES[place % len(_DASHES)],
            _MARKERS[place % len(_MARKERS)],
        )
        for place, value in enumerate(values)
    }


def _sequential(count: int) -> list[str]:
    # Viridis without its light end, which would not show on white.
    scale = matplotlib.colormaps["viridis"]
    places = [0.68 * (1 - i / max(count - 1, 1)) for i in range(count)]
    return [to_hex(scale(place)) for place in places]
