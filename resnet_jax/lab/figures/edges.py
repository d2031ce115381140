"""Values that a log axis does not have: zeros at its lower edge, the not finite at its upper one.

And the keys beside and below the panels, which name these marks and others.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy import ndarray

from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.protocols import AxisValue
from resnet_jax.lab.figures import style
from resnet_jax.lab.formatting import count

Rows = dict[str, int]

ZERO: dict[str, Any] = {"marker": "v", "markersize": 5, "fillstyle": "none", "ls": "none"}
STRANGE: dict[str, Any] = {"marker": "x", "markersize": 5, "ls": "none"}

LOWEST, APART = 0.03, 0.04  # of the axis: the first line's marks, and from one line's to the next's
ROOM = 0.06  # of the axis: what it is lengthened by for the marks of one line

KEY_ROW, KEYS_IN_PANEL = 0.3, 3  # inches that a row of keys takes; how many fit below one panel


def mark_edges(
    panel: Axes, at: Float[ndarray, " sites"], marks: pd.DataFrame, color: str, rows: Rows
) -> None:
    """Draws the zeros of one line, and its values that are not finite.

    Args:
      panel: one with a logarithmic vertical axis.
      at: where the sites stand.
      marks: at each site, in how many runs the value is zero (column `zeros`) or not finite
        (`strange`).
      color: that of the line.
      rows: how many rows of marks of other lines lie nearer to each edge, by column.
    """
    low, high = (LOWEST + APART * rows[column] for column in ("zeros", "strange"))
    for column, look, y in (("zeros", ZERO, low), ("strange", STRANGE, 1 - high)):
        marked = at[(marks[column] > 0).to_numpy()]
        if len(marked):
            panel.plot(
                marked,
                [y] * len(marked),
                c=color,
                transform=panel.get_xaxis_transform(),
                zorder=4,
                label="_",
                **look,
            )


def rows_before(table: pd.DataFrame, line: AxisValue) -> Rows:
    """How many rows of marks lie nearer to each edge than those of a line, for `mark_edges`.

    Args:
      table: columns `line`, `zeros` and `strange`, of all panels.
      line: one of the lines.
    """
    rows = {}
    for column in ("zeros", "strange"):
        lines = _lines_with(table, column)
        rows[column] = lines.index(line) if line in lines else 0
    return rows


def make_room(panel: Axes, table: pd.DataFrame) -> None:
    """Lengthens a logarithmic axis, so that marks at its edges stand clear of the lines.

    Args:
      panel: one of those that share the axis.
      table: columns `line`, `zeros` and `strange`, of all panels.
    """
    low, high = panel.get_ylim()
    down, up = (ROOM * len(_lines_with(table, column)) for column in ("zeros", "strange"))
    panel.set_ylim(low / (high / low) ** down, high * (high / low) ** up)


def _lines_with(table: pd.DataFrame, column: str) -> list[AxisValue]:
    return list(table[table[column] > 0]["line"].unique())


def edge_keys(zeros: int, strange: int) -> list[Artist]:
    """Keys for the marks that there are."""
    keys: list[Artist] = []
    if zeros:
        keys.append(Line2D([], [], color=style.INK, label="exactly zero", **ZERO))
    if strange:
        keys.append(Line2D([], [], color=style.INK, label="not finite", **STRANGE))
    return keys


def edge_words(zeros: int, strange: int, mixed: bool) -> list[str]:
    """Sentences on the marks that there are.

    Args:
      zeros: at how many sites, of all lines, a seed has exactly zero.
      strange: at how many a seed has no finite value.
      mixed: whether at one of these other seeds have a value that the line can show.
    """
    words = []
    if zeros:
        words.append(f"Triangles at the lower edge: exactly zero, at {count(zeros, 'site')}.")
    if strange:
        words.append(f"Crosses at the upper edge: not finite, at {count(strange, 'site')}.")
    if mixed:
        words.append("Where only some seeds are so marked, the line is the mean of the others.")
    return words


def keys_of_lines(panels: Iterable[Axes], experiment: Experiment, axis: str) -> list[Artist]:
    """One key for each value of an axis that has a line in any of the panels, in their order."""
    keys: dict[str, Artist] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            keys.setdefault(label, handle)
    labels = [style.title(experiment.label(value)) for value in experiment.axes[axis]]
    return [keys[label] for label in labels if label in keys]


def keys_beside(figure: Figure, keys: Sequence[Artist], title: str = "") -> None:
    """Keys of lines, at the right of the panels; none if there are no lines to tell apart."""
    if keys:
        place: Any = "outside right upper"
        figure.legend(handles=keys, loc=place, title=title or None, alignment="left")


def keys_below(figure: Figure, keys: Sequence[Artist], panels: int = 1) -> None:
    """Keys of marks, below the panels, for which the figure grows."""
    if not keys:
        return
    columns = min(len(keys), KEYS_IN_PANEL * panels)
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + KEY_ROW * -(-len(keys) // columns))
    place: Any = "outside lower center"
    figure.legend(handles=keys, loc=place, ncols=columns, handlelength=2.0, columnspacing=1.4)
