"""Panels, their titles, and legends."""

import textwrap
from collections.abc import Sequence
from typing import Any, Literal

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resnet_jax.lab.design.protocols import AxisValue
from resnet_jax.lab.figures import interactive, style
from resnet_jax.lab.figures.style import Format
from resnet_jax.lab.formatting import capitalized
from resnet_jax.lab.results.records import Records

ROW = 0.22  # height in inches of a row of keys
LETTER, HANDLE = 0.083, 0.62  # widths in inches of a letter, on average, and of a key without words
AXIS = {"x": 0.55, "y": 0.8}  # of the room of a panel: roughly the length of the axis
NAMES = 15  # letters of a line of a name of a row, where panels are below each other
BESIDE = 15  # letters of a key that fits beside the panels
INITIALS = 2  # letters of a name that says nothing without its axis, such as option "A"


def grid_of_panels(
    count: int, form: Format, *, sharex: bool = False, sharey: bool = False
) -> tuple[Figure, list[Axes]]:
    """Makes a figure of panels side by side and, where there are many, in rows.

    Args:
      count: number of panels.
      form: the room for the figure.
      sharex: whether they share the horizontal scale.
      sharey: whether they share the vertical scale.
    """
    rows = -(-count // form.columns)
    columns = -(-count // rows)
    width = min(form.width, style.PANEL_WIDTH * columns + style.LEGEND_WIDTH)
    figure = Figure(figsize=(width, form.panel_height * rows))
    made = figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey).flatten()
    for spare in made[count:]:
        figure.delaxes(spare)
    panels = list(made[:count])
    for panel in panels[-columns:]:  # some are above a spare one
        panel.tick_params(labelbottom=True)
    return figure, panels


def label_below(panels: Sequence[Axes], words: str) -> None:
    """Labels the horizontal axes of the lowest panel of each column, in lines that fit."""
    for panel in panels[-columns(panels) :]:
        panel.set_xlabel(wrapped(words, panel, "x"))


def label_beside(panels: Sequence[Axes], words: str) -> None:
    """Labels the vertical axes of the first panel of each row, in lines that fit."""
    for panel in panels[:: columns(panels)]:
        panel.set_ylabel(wrapped(words, panel, "y"))


def wrapped(words: str, panel: Axes, axis: Literal["x", "y"]) -> str:
    """Breaks a label into lines that are no longer than the axis, roughly; keeps its own breaks."""
    figure: Any = panel.figure
    place = panel.get_subplotspec()
    rows, across = place.get_gridspec().get_geometry() if place else (1, 1)
    width, height = figure.get_size_inches()
    inches = AXIS[axis] * (width / across if axis == "x" else height / rows)
    lines = [_filled(line, int(inches / LETTER)) for line in words.split("\n")]
    return "\n".join(lines)


def names(words: Sequence[str], form: Format) -> list[str]:
    """Breaks the names of rows into lines, where they would leave little width to a panel."""
    return [_filled(each, NAMES) if form.stacked else each for each in words]


def _filled(words: str, letters: int) -> str:
    unit = words.replace(" (", "\N{NO-BREAK SPACE}(")  # stays on the line of the last word
    return textwrap.fill(unit, letters).replace("\N{NO-BREAK SPACE}", " ")


def columns(panels: Sequence[Axes]) -> int:
    """How many panels are side by side."""
    place = panels[0].get_subplotspec()
    return place.get_gridspec().ncols if place else len(panels)


def title(records: Records, word: AxisValue) -> str:
    """The label of an axis or of a value of one, capitalized."""
    return capitalized(records.experiment.label(word))


def panel_title(records: Records, axis: str, value: AxisValue) -> str:
    """The label of a value, with that of its axis where the value alone says too little.

    Example: of a network, "Plain"; of a number, "Depth 20", or "20 layers" if the axis is called
    that; of an initial, "Shortcut A".
    """
    words, axis = records.experiment.label(value), records.experiment.label(axis)
    of_number = not isinstance(value, str) or words[:1].isdigit()
    if not axis or axis.removesuffix("s") in words or not (of_number or len(words) <= INITIALS):
        return capitalized(words)
    return f"{words} {axis}" if of_number and axis.endswith("s") else f"{capitalized(axis)} {words}"


def line_legend(
    figure: Figure,
    panels: Sequence[Axes],
    records: Records,
    axis: str,
    form: Format,
    titled: bool = True,
) -> None:
    """Adds a legend of the lines.

    Args:
      figure: the figure.
      panels: its panels; the label of a line is the title of a value of the axis.
      records: the experiment's records.
      axis: the axis that the lines distinguish; empty for a single line, without a legend.
      form: the room for the figure.
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
    add_legend(figure, drawn, form, title(records, axis) if titled else "")


def add_legend(figure: Figure, keys: Sequence[Artist], form: Format, title: str = "") -> None:
    """Adds a legend beside the panels, or above them where it would take too much width."""
    beside = not form.stacked and max(map(_letters, keys), default=0) <= BESIDE
    if not keys or not beside:
        _add_rows(figure, keys, "outside upper left", title)
        return
    place: Any = "outside right upper"
    interactive.mark_legend(
        figure.legend(handles=keys, loc=place, title=title or None, alignment="left")
    )


def legend_below(figure: Figure, keys: Sequence[Artist]) -> None:
    """Adds a legend below the panels, if there are keys, and makes the figure higher for it."""
    _add_rows(figure, keys, "outside lower left")


def _add_rows(figure: Figure, keys: Sequence[Artist], place: Any, title: str = "") -> None:
    if not keys:
        return
    width, height = figure.get_size_inches()
    columns = max(1, min(len(keys), int(width / (LETTER * max(map(_letters, keys)) + HANDLE))))
    rows = -(-len(keys) // columns) + bool(title)
    figure.set_size_inches(width, height + ROW * rows + ROW / 2)
    interactive.mark_legend(
        figure.legend(
            handles=keys,
            loc=place,
            ncols=columns,
            title=title or None,
            alignment="left",
            handlelength=2.0,
            columnspacing=1.2,
        )
    )


def _letters(key: Artist) -> int:
    return len(str(key.get_label()))
