"""Scaling laws on figures: thin curves, their keys in the legend, and their words for a caption."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from resnet_jax.lab.analysis.scaling import LawName, Scaling, in_unit
from resnet_jax.lab.figures import interactive, scales, style
from resnet_jax.lab.figures.layers import Estimates
from resnet_jax.lab.formatting import decimals, number

POINTS = 200  # of a curve
DASHES: dict[LawName, Any] = {"exponential": (0, (6, 2)), "power law": (0, (1, 1.6))}
NAMES: dict[LawName, str] = {"exponential": "a rate", "power law": "an exponent"}
THIN: dict[str, Any] = {"linewidth": 1.0, "zorder": 2.2}


def draw_curve(
    panel: Axes, fitted: Scaling, law: LawName, line: Estimates, measure: str = ""
) -> None:
    """Draws a law over the range of x that it was fitted to.

    Args:
      panel: a panel of the figure.
      fitted: the fit.
      law: which of its laws.
      line: what it is fitted to.
      measure: the measure that the panel shows; empty for y itself.
    """
    at = np.linspace(min(fitted.sizes), max(fitted.sizes), POINTS)
    value = in_unit(fitted.curve(law, at), measure)
    beside = scales.beside(panel, line.points)
    look: dict[str, Any] = {"ls": DASHES[law], "transform": beside, **THIN}
    (drawn,) = panel.plot(at, value, c=line.look.color, **look)
    interactive.mark(drawn, line.label, law)


def keys(laws: Iterable[str]) -> list[Artist]:
    """The keys of the laws that are drawn."""
    drawn = set(laws)
    return [
        Line2D([], [], color=style.INK, ls=dashes, label=law, **THIN)
        for law, dashes in DASHES.items()
        if law in drawn
    ]


def told(fitted: Scaling, law: LawName, per: str = "") -> str:
    """A law in words: `power law, an exponent of 0.97 (95% interval 0.90 to 1.05, R² 0.990)`.

    Args:
      fitted: the fit.
      law: which of its laws.
      per: the unit of x, to tell an exponential by its factor: `a factor of 1.15 per layer`.
    """
    found = fitted.laws[law]
    ends = np.array([found.slope, found.low, found.high])
    if factor := law == "exponential" and per:
        ends = np.exp(ends)
    mean, low, high = ends
    places = max(decimals([high - low]), 3 if factor else 2)
    interval = f"95% interval {number(low, places)} to {number(high, places)}, "
    words = "a factor" if factor else NAMES[law]
    per = f" per {per}" if factor else ""
    known = f"{interval if high > low else ''}R² {number(found.r2, 3)}"
    return f"{law}, {words} of {number(mean, places)}{per} ({known})"
