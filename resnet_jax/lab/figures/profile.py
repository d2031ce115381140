"""Profiles: a quantity along the depth of networks: seeds, their mean and range at each site."""

from dataclasses import dataclass
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
from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.figures import captions, edges, interactive, layers, layout, scales, style
from resnet_jax.lab.figures.probed import StepDrawing, over_seeds, stage_ends
from resnet_jax.lab.figures.style import WIDE, Format
from resnet_jax.lab.formatting import capitalized
from resnet_jax.lab.results.records import Records

At = Float[np.ndarray, " sites"]

STAGE, FITTED, EXCLUDED = "stage boundary", "fitted", "excluded from fits"  # keys

BOUNDARY: dict[str, Any] = {
    "marker": "|",
    "markersize": 12,
    "markeredgewidth": 1.3,
    "ls": "none",
}
SINGLE: dict[str, Any] = {"marker": ".", "markersize": 6, "ls": "none"}
POINT: dict[str, Any] = {"marker": "o", "markersize": 3.2, "markeredgewidth": 0.9, "ls": "none"}


@dataclass(frozen=True, kw_only=True)
class Profile(StepDrawing):
    """A quantity against depth; the selected sites have one depth each.

    Attributes:
      panels: the axis whose values are panels side by side; empty for one panel.
      lines: the axis whose values are lines; empty for one line.
      x: "depth", or "relative" for the depth divided by that of the last site.
      selection: which sites a growth fit uses; these are drawn filled, the others open. None draws
        lines without points.
    """

    panels: str = ""
    lines: str = ""
    x: Literal["depth", "relative"] = "depth"
    selection: Selection | None = None
    name: str = "profile"

    varies = ("panels", "lines")

    def explain(self, records: Records, found: pd.DataFrame) -> list[str]:
        table, quantity = self.table(records), self.described
        counts = captions.seeds_by_cell(records, found["run"])
        return [
            f"{capitalized(quantity.words)} ({quantity.meaning}) of {self._sites(table)}, "
            f"{self.when(found)}.",
            captions.lines_and_bands(counts, "geometric mean"),
            "Vertical ticks on a line: stage boundaries." if _has_stages(table) else "",
            self._explain_points(table),
            *captions.edge_marks(*_marked(table)),
        ]

    def draw(self, records: Records, form: Format = WIDE) -> Figure:
        table = self.table(records)
        along = records.experiment.along(self.panels, self.where)
        figure, panels = layout.grid_of_panels(len(along), form, sharex=True, sharey=True)
        scales.logarithmic(panels[0])
        for panel, (value, held) in zip(panels, along, strict=True):
            self._draw_panel(panel, records, table[table["panel"] == value], held)
            panel.set_title(layout.panel_title(records, self.panels, value), loc="left")
        if self.x == "relative":
            panels[0].set_xticks([0, 0.5, 1])
        layout.label_below(panels, self._depth_label(table))
        layout.label_beside(panels, self.described.axis_label)
        edges.make_room(panels[0], table)
        layout.line_legend(figure, panels, records, self.lines, form)
        layout.legend_below(figure, self._keys(table))
        return figure

    def table(self, records: Records) -> pd.DataFrame:
        """Computes the profile of each cell.

        Returns:
          The columns of `over_seeds`, and `panel` and `line` (values of these axes), `at` (depth or
          relative depth) and `reason` (why a growth fit excludes the site; "" if it does not).
        """
        parts = []
        for panel, held in records.experiment.along(self.panels, self.where):
            for line, cell in records.experiment.along(self.lines, held):
                band = over_seeds(self.rows(records, cell))
                scale = band["depth"].max() if self.x == "relative" else 1
                at, reason = band["depth"] / scale, self._reasons(band)
                parts.append(band.assign(panel=panel, line=line, at=at, reason=reason))
        return pd.concat(parts, ignore_index=True)

    def _reasons(self, band: pd.DataFrame) -> list[str]:
        if not self.selection:
            return [growth.KEPT] * len(band)
        return growth.reasons(list(band["stage"]), list(band["unit"]), self.selection)

    def _draw_panel(
        self, panel: Axes, records: Records, in_panel: pd.DataFrame, held: Cell
    ) -> None:
        along = records.experiment.along(self.lines, held)
        looks = style.looks([line for line, _ in along])
        for line, cell in along:
            band, look = in_panel[in_panel["line"] == line], looks[line]
            if not len(band):
                continue
            label, seeds = layout.title(records, line), self._seeds(records, cell, band)
            name = layout.panel_title(records, self.lines, line)
            layers.draw_lines(panel, band.set_index("at"), seeds, look, records, label, name=name)
            self._draw_marks(panel, band, look.color, label)
            rows = edges.rows_of(in_panel, line)
            edges.mark_edges(panel, band["at"].to_numpy(), band, look.color, rows, label)

    def _seeds(self, records: Records, cell: Cell, band: pd.DataFrame) -> dict[str, pd.Series]:
        """The positive values of each run, by depth or relative depth."""
        at, found = band.set_index("site")["at"], self.rows(records, cell)
        positive = found["value"].astype(float)
        found = found.assign(value=positive.where((positive > 0) & np.isfinite(positive)))
        return {
            str(run): pd.Series(rows["value"].to_numpy(), at[rows["site"]].to_numpy()).sort_index()
            for run, rows in found.groupby("run", sort=False)
        }

    def _draw_marks(self, panel: Axes, band: pd.DataFrame, color: str, label: str) -> None:
        at, mean = band["at"].to_numpy(), band["mean"].to_numpy()
        kept, single = (band["reason"] == growth.KEPT).to_numpy(), isolated(mean)
        marks = [
            (at[single], mean[single], color, SINGLE, ""),
            (*boundaries(at, band), color, BOUNDARY, STAGE),
        ]
        if self.selection:
            marks += [
                (at[kept], mean[kept], color, POINT, FITTED),
                (at[~kept], mean[~kept], "white", POINT, EXCLUDED),
            ]
        for x, y, fill, look, key in marks:
            (drawn,) = panel.plot(x, y, c=color, mfc=fill, label="_", zorder=3, **look)
            interactive.mark(drawn, label, key)

    def _keys(self, table: pd.DataFrame) -> list[Artist]:
        keys: list[Artist] = []
        if _has_stages(table):
            keys.append(Line2D([], [], color=style.INK, label=STAGE, **BOUNDARY))
        if self.selection:
            for fill, label in ((style.INK, FITTED), ("white", EXCLUDED)):
                keys.append(Line2D([], [], color=style.INK, mfc=fill, label=label, **POINT))
        zeros, nonfinite, _ = _marked(table)
        return keys + edges.keys(zeros, nonfinite)

    def _explain_points(self, table: pd.DataFrame) -> str:
        if not self.selection:
            return ""
        reasons = ", ".join(filter(None, dict.fromkeys(table["reason"])))
        why = f" ({reasons})" if reasons else ""
        return f"Filled points are used in growth fits; open points are excluded{why}."

    def _sites(self, table: pd.DataFrame) -> str:
        units = self.counts_units(table)
        return {
            "unit": "all convolution kernels of each unit",
            "parameter": f"each parameter {' or '.join(self.patterns)}",
            "activation": "each unit's output" if units else "each layer's output",
        }[self.of]

    def _depth_label(self, table: pd.DataFrame) -> str:
        units = self.counts_units(table)
        if self.x == "relative":
            return "Unit / number of units" if units else "Layer / last layer"
        return "Unit, from the input" if units else "Layer, from the input"


def boundaries(at: At, band: pd.DataFrame) -> tuple[At, At]:
    """Returns the points halfway between stages, on the line of a profile."""
    before, log = stage_ends(band), np.log(band["mean"].to_numpy(dtype=float))
    return (at[before] + at[before + 1]) / 2, np.exp((log[before] + log[before + 1]) / 2)


def isolated(mean: At) -> Bool[np.ndarray, " sites"]:
    """Returns a mask of values without a neighbor, which no line would show."""
    known = np.pad(np.isfinite(mean), 1)
    return known[1:-1] & ~known[:-2] & ~known[2:]


def _has_stages(table: pd.DataFrame) -> bool:
    return table["stage"].nunique() > 1


def _marked(table: pd.DataFrame) -> tuple[int, int, bool]:
    """The sites with zeros, those with nonfinite values, and whether seeds differ in this."""
    zeros, nonfinite = table["zeros"] > 0, table["nonfinite"] > 0
    mixed = (zeros | nonfinite) & table["mean"].notna()
    return int(zeros.sum()), int(nonfinite.sum()), bool(mixed.any())
