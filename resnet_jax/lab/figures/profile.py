"""Profiles: a quantity along the depth of networks, mean and range over seeds at each site."""

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
from resnet_jax.lab.design.protocols import AxisValue
from resnet_jax.lab.figures import captions, edges, layout, style
from resnet_jax.lab.figures.probed import StepDrawing, over_seeds, stage_ends
from resnet_jax.lab.formatting import capitalized
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

    def draw(self, records: Records) -> Figure:
        table = self.table(records)
        values = [value for value, _ in records.experiment.along(self.panels)]
        figure, panels = layout.row_of_panels(len(values), sharex=True, sharey=True)
        layout.logarithmic(panels[0])
        for panel, value in zip(panels, values, strict=True):
            self._draw_panel(panel, records, table, value)
            panel.set_title(layout.title(records, value), loc="left")
            panel.set_xlabel(self._depth_label(table))
        panels[0].set_ylabel(self.described.axis_label)
        edges.make_room(panels[0], table)
        layout.line_legend(figure, panels, records, self.lines)
        layout.legend_below(figure, self._keys(table), len(panels))
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
        self, panel: Axes, records: Records, table: pd.DataFrame, value: AxisValue
    ) -> None:
        in_panel = table[table["panel"] == value]
        looks = style.looks([line for line, _ in records.experiment.along(self.lines)])
        for line, look in looks.items():
            band, rows = in_panel[in_panel["line"] == line], edges.rows_of(table, line)
            if len(band):
                self._draw_line(panel, band, look, layout.title(records, line))
                edges.mark_edges(panel, band["at"].to_numpy(), band, look.color, rows)

    def _draw_line(self, panel: Axes, band: pd.DataFrame, look: style.Look, label: str) -> None:
        at, mean, color = band["at"].to_numpy(), band["mean"].to_numpy(), look.color
        panel.fill_between(at, band["low"], band["high"], fc=color, **style.BAND)
        panel.plot(at, mean, c=color, ls=look.dashes, label=label)
        single = isolated(mean)
        panel.plot(at[single], mean[single], c=color, label="_", **SINGLE)
        panel.plot(*boundaries(at, band), c=color, label="_", **BOUNDARY)
        if self.selection:
            kept = (band["reason"] == growth.KEPT).to_numpy()
            panel.plot(at[kept], mean[kept], c=color, mfc=color, label="_", zorder=3, **POINT)
            panel.plot(at[~kept], mean[~kept], c=color, mfc="white", label="_", zorder=3, **POINT)

    def _keys(self, table: pd.DataFrame) -> list[Artist]:
        keys: list[Artist] = []
        if _has_stages(table):
            keys.append(Line2D([], [], color=style.INK, label="stage boundary", **BOUNDARY))
        if self.selection:
            for fill, label in ((style.INK, "fitted"), ("white", "excluded from fits")):
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
