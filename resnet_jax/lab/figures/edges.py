"""Marks at the edges of a logarithmic axis: zeros at the lower, nonfinite values at the upper."""

from typing import Any

import pandas as pd
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy import ndarray

from resnet_jax.lab.design.protocols import AxisValue
from resnet_jax.lab.figures import interactive, style

Rows = dict[str, int]

ZERO: dict[str, Any] = {"marker": "v", "markersize": 5, "fillstyle": "none", "ls": "none"}
NONFINITE: dict[str, Any] = {"marker": "x", "markersize": 5, "ls": "none"}
LOOKS = {"zeros": ZERO, "nonfinite": NONFINITE}
KEYS = {"zeros": "exactly zero", "nonfinite": "not finite"}

# Fractions of the axis: position of the first row of marks, distance between rows, and by how much
# the axis is extended for each row.
FIRST_ROW, ROW_DISTANCE, ROW_SPACE = 0.03, 0.04, 0.06


def mark_edges(
    panel: Axes,
    at: Float[ndarray, " sites"],
    marks: pd.DataFrame,
    color: str,
    rows: Rows,
    series: str,
) -> None:
    """Marks the zeros and the nonfinite values of one line.

    Args:
      panel: a panel with a logarithmic vertical axis.
      at: horizontal positions of the sites.
      marks: for each site, the number of runs in which the value is zero (column `zeros`) or not
        finite (`nonfinite`).
      color: color of the line.
      rows: the row of its marks at each edge, as returned by `rows_of`.
      series: the label of the line's key in the legend.
    """
    for column, look in LOOKS.items():
        distance = FIRST_ROW + ROW_DISTANCE * rows[column]
        marked = at[(marks[column] > 0).to_numpy()]
        if len(marked):
            (drawn,) = panel.plot(
                marked,
                [distance if column == "zeros" else 1 - distance] * len(marked),
                c=color,
                transform=panel.get_xaxis_transform(),
                zorder=4,
                label="_",
                **look,
            )
            interactive.mark(drawn, series, KEYS[column])


def rows_of(table: pd.DataFrame, line: AxisValue) -> Rows:
    """Returns the row of a line's marks at each edge, counted from the edge.

    Args:
      table: columns `line`, `zeros` and `nonfinite`, of all panels.
      line: one of the lines.
    """
    rows = {}
    for column in LOOKS:
        lines = _marked_lines(table, column)
        rows[column] = lines.index(line) if line in lines else 0
    return rows


def make_room(panel: Axes, table: pd.DataFrame) -> None:
    """Extends a logarithmic axis, so that the marks at its edges do not overlap the lines.

    Args:
      panel: one of the panels that share the axis.
      table: columns `line`, `zeros` and `nonfinite`, of all panels.
    """
    low, high = panel.get_ylim()
    down, up = (ROW_SPACE * len(_marked_lines(table, column)) for column in LOOKS)
    panel.set_ylim(low / (high / low) ** down, high * (high / low) ** up)


def keys(zeros: int, nonfinite: int) -> list[Artist]:
    """Returns legend keys for the marks that exist."""
    found: list[Artist] = []
    if zeros:
        found.append(Line2D([], [], color=style.INK, label=KEYS["zeros"], **ZERO))
    if nonfinite:
        found.append(Line2D([], [], color=style.INK, label=KEYS["nonfinite"], **NONFINITE))
    return found


def _marked_lines(table: pd.DataFrame, column: str) -> list[AxisValue]:
    return list(table[table[column] > 0]["line"].unique())
