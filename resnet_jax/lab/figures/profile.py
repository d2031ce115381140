"""A quantity along the depth of networks: mean and range of the seeds, site by site."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resnet_jax.lab.analysis import growth
from resnet_jax.lab.analysis.growth import Selection
from resnet_jax.lab.design.protocols import AxisValue, Cell
from resnet_jax.lab.figures import edges, seeds, style, ticks
from resnet_jax.lab.figures.probed import (
    Chosen,
    at_step,
    in_cells,
    is_of_units,
    left_out,
    over_seeds,
    probed,
    stage_ends,
    when,
)
from resnet_jax.lab.results.records import Records

At = Float[np.ndarray, " sites"]

BOUNDARY: dict[str, Any] = {
    "marker": "|",
    "markersize": 12,
    "markeredgewidth": 1.3,
    "ls": "none",
}
SINGLE: dict[str, Any] = {"marker": ".", "markersize": 6, "ls": "none"}
POINT: dict[str, Any] = {"marker": "o", "markersize": 3.2, "markeredgewidth": 0.9, "ls": "none"}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A quantity by depth: a panel for each value of one axis, a line for each of another.

    Attributes:
      quantity: what is drawn: a column of the records of probes, such as "gradient_norm".
      of: the kind of site: "unit", "parameter" or "activation".
      sites: one pattern of the sites' paths or several, as of a shell; no two sites of one depth.
      step: after how many updates; None for the last probe.
      panels: the axis whose values stand side by side, with one scale; empty for one panel.
      lines: the axis whose values are lines; empty for one line.
      x: "depth", or "relative" for the depth over that of the last site.
      selection: what a growth rate leaves out; given, it is drawn open, and the rest full.
      where: the value of each further axis.
      says: what the reader is to see; opens the caption.
      name: what the files are called.
    """

    quantity: str = "gradient_norm"
    of: str = "unit"
    sites: str | tuple[str, ...] = "*"
    step: int | None = 0
    panels: str = ""
    lines: str = ""
    x: Literal["depth", "relative"] = "depth"
    selection: Selection | None = None
    where: Cell = field(default_factory=dict)
    says: str = ""
    name: str = "profile"

    def __post_init__(self) -> None:
        _ = self.chosen.quantity  # a name that is not known is an error here, before anything runs

    @property
    def chosen(self) -> Chosen:
        """The quantity and the sites."""
        return Chosen(self.quantity, self.of, self.sites)

    @property
    def measures(self) -> tuple[str, ...]:
        """No final measure: what is shown comes from the probes' records."""
        return ()

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes that are panels, lines or held fixed."""
        return *filter(None, (self.panels, self.lines)), *self.where

    def caption(self, records: Records) -> str:
        """What the figure shows, what its marks mean, and what became of the runs."""
        table, quantity = self.table(records), self.chosen.quantity
        found = in_cells(records, self.chosen, self.step, self.where, self.panels, self.lines)
        words = [
            self.says,
            f"{style.title(quantity.words)} of each {self._each(table)}, {when(self.step, found)}: "
            f"{quantity.meaning}.",
            seeds.lines_and_bands(seeds.per_cell(records, found["run"]), "geometric mean"),
            "Upright ticks on a line: where a stage ends." if _has_stages(table) else "",
            self._on_points(table),
            *edges.edge_words(*_marked(table)),
            left_out(records, found, self.where),
        ]
        return " ".join(filter(None, words))

    def draw(self, records: Records) -> Figure:
        """Draws the panels, which share their scales."""
        table = self.table(records)
        values = [value for value, _ in records.experiment.along(self.panels)]
        figure, panels = style.row_of_panels(len(values), sharex=True, sharey=True)
        panels[0].set_yscale("log")
        ticks.on_log_axis(panels[0])
        for panel, value in zip(panels, values, strict=True):
            self._draw_panel(panel, records, table, value)
            panel.set_title(style.title(records.experiment.label(value)), loc="left")
            panel.set_xlabel(self._depth_label(table))
        panels[0].set_ylabel(self.chosen.quantity.axis_label)
        edges.make_room(panels[0], table)
        if self.lines:
            title = style.title(records.experiment.label(self.lines))
            edges.keys_beside(
                figure, edges.keys_of_lines(panels, records.experiment, self.lines), title
            )
        edges.keys_below(figure, self._keys(table), len(panels))
        return figure

    def table(self, records: Records) -> pd.DataFrame:
        """What is drawn: the profile of each cell, as `probed.over_seeds` gives it.

        Returns:
          With the further columns `panel` and `line` (the values of these axes), `at` (depth, or
          relative depth) and `reason` (why the selection leaves the site out; "" if it is kept).
        """
        parts = []
        for panel, held in records.experiment.along(self.panels, self.where):
            for line, cell in records.experiment.along(self.lines, held):
                band = over_seeds(at_step(probed(records, self.chosen, cell), self.step))
                scale = band["depth"].max() if self.x == "relative" else 1
                at, reason = band["depth"] / scale, self._reasons(band)
                parts.append(band.assign(panel=panel, line=line, at=at, reason=reason))
        return pd.concat(parts, ignore_index=True)

    def _reasons(self, band: pd.DataFrame) -> list[str]:
        if not self.selection:
            return [growth.KEPT] * len(band)
        return growth.reasons(list(band["stage"]), list(band["unit"]), self.selection)

    def _draw_panel(
        self, panel: Axes, records: Records, table: pd.DataFrame, value: AxisValue
    ) -> None:
        in_panel = table[table["panel"] == value]
        looks = style.looks([line for line, _ in records.experiment.along(self.lines)])
        for line, look in looks.items():
            band, rows = in_panel[in_panel["line"] == line], edges.rows_before(table, line)
            if len(band):
                self._draw_line(panel, band, look, style.title(records.experiment.label(line)))
                edges.mark_edges(panel, band["at"].to_numpy(), band, look.color, rows)

    def _draw_line(self, panel: Axes, band: pd.DataFrame, look: style.Look, label: str) -> None:
        at, mean, color = band["at"].to_numpy(), band["mean"].to_numpy(), look.color
        panel.fill_between(at, band["low"], band["high"], fc=color, **style.BAND)
        panel.plot(at, mean, c=color, ls=look.dashes, label=label)
        single = alone(mean)
        panel.plot(at[single], mean[single], c=color, label="_", **SINGLE)
        panel.plot(*boundaries(at, band), c=color, label="_", **BOUNDARY)
        if self.selection:
            kept = (band["reason"] == growth.KEPT).to_numpy()
            panel.plot(at[kept], mean[kept], c=color, mfc=color, label="_", zorder=3, **POINT)
            panel.plot(at[~kept], mean[~kept], c=color, mfc="white", label="_", zorder=3, **POINT)

    def _keys(self, table: pd.DataFrame) -> list[Artist]:
        keys: list[Artist] = []
        if _has_stages(table):
            keys.append(Line2D([], [], color=style.INK, label="stage ends", **BOUNDARY))
        if self.selection:
            for fill, label in ((style.INK, "fitted"), ("white", "left out of fits")):
                keys.append(Line2D([], [], color=style.INK, mfc=fill, label=label, **POINT))
        zeros, strange, _ = _marked(table)
        return keys + edges.edge_keys(zeros, strange)

    def _on_points(self, table: pd.DataFrame) -> str:
        if not self.selection:
            return ""
        reasons = ", ".join(filter(None, dict.fromkeys(table["reason"])))
        why = f": {reasons}" if reasons else ""
        return f"Full points: what growth is fitted to. Open points: left out of the fit{why}."

    def _each(self, table: pd.DataFrame) -> str:
        units = is_of_units(table, self.chosen)
        return {
            "unit": "unit's convolution kernels, taken together",
            "parameter": f"parameter {' or '.join(self.chosen.patterns)}",
            "activation": "unit's output" if units else "layer's output",
        }[self.of]

    def _depth_label(self, table: pd.DataFrame) -> str:
        units = is_of_units(table, self.chosen)
        if self.x == "relative":
            return "Unit / number of units" if units else "Layer / last layer"
        return "Unit, from the input" if units else "Layer, from the input"


def boundaries(at: At, band: pd.DataFrame) -> tuple[At, At]:
    """Where a profile passes from one stage to the next: halfway, on the line that is drawn."""
    before, log = stage_ends(band), np.log(band["mean"].to_numpy(dtype=float))
    return (at[before] + at[before + 1]) / 2, np.exp((log[before] + log[before + 1]) / 2)


def alone(mean: At) -> Bool[np.ndarray, " sites"]:
    """Which sites have a value and no neighbour with one, so that no line shows them."""
    known = np.pad(np.isfinite(mean), 1)
    return known[1:-1] & ~known[:-2] & ~known[2:]


def _has_stages(table: pd.DataFrame) -> bool:
    return table["stage"].nunique() > 1


def _marked(table: pd.DataFrame) -> tuple[int, int, bool]:
    """How many sites have zeros, how many infinities or NaN, and whether seeds differ in it."""
    zeros, strange = table["zeros"] > 0, table["strange"] > 0
    mixed = (zeros | strange) & table["mean"].notna()
    return int(zeros.sum()), int(strange.sum()), bool(mixed.any())
