"""Style of the figures: legible on a slide, in grayscale and with color vision deficiency."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.colors import to_hex

from resnet_jax.lab.design.protocols import AxisValue

DOTS_PER_INCH = 200
PANEL_WIDTH, PANEL_HEIGHT, LEGEND_WIDTH = 3.9, 3.3, 1.2  # inches

INK, FAINT = "#222222", "#dddddd"

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays searchable and takes the font of the page
    "font.family": "DejaVu Sans",  # shipped with matplotlib: the same on every machine
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
