"""Standard deviations of layer responses, in the manner of He et al. 2015, Fig. 7."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resnet_jax.lab.design.protocols import AxisValue, Cell
from resnet_jax.lab.figures import edges, seeds, style
from resnet_jax.lab.figures.probed import (
    Chosen,
    at_step,
    in_cells,
    left_out,
    over_seeds,
    probed,
    when,
)
from resnet_jax.lab.results.records import Records

WIDTH, HEIGHT = 6.2, 2.5  # inches of a panel
NORMS = ("stem/norm", "stage*/unit*/norm?")

_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))


@dataclass(frozen=True, kw_only=True)
class Responses:
    """Standard deviations of norms' outputs: in network order, and below it the largest first.

    Attributes:
      lines: the axis that colour tells apart, as the depth of networks; empty for one.
      families: the axis that dashes tell apart, its last value drawn solid; empty for one.
      sites: patterns of the outputs' paths; by default all norms, projections' left out.
      step: after how many updates; None for the last probe. Before the first step all responses
        are 1, as norms make them.
      where: the value of each further axis.
      says: what the reader is to see; opens the caption.
      name: what the files are called.
    """

    lines: str = ""
    families: str = ""
    sites: str | tuple[str, ...] = NORMS
    step: int | None = None
    where: Cell = field(default_factory=dict)
    says: str = ""
    name: str = "responses"

    @property
    def chosen(self) -> Chosen:
        """The quantity and the sites."""
        return Chosen("signal_std", "activation", self.sites)

    @property
    def measures(self) -> tuple[str, ...]:
        """No final measure: what is shown comes from the probes' records."""
        return ()

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes that are lines or held fixed."""
        return *filter(None, (self.families, self.lines)), *self.where

    def caption(self, records: Records) -> str:
        """What the figure shows, what its marks mean, and what became of the runs."""
        found = self._found(records)
        words = [
            self.says,
            f"Standard deviation of each norm's output, {when(self.step, found)}: "
            f"{self.chosen.quantity.meaning}; in the original order it is that of a layer's "
            "response, before the ReLU and the addition.",
            "Top: in network order. Bottom: the same, the largest first.",
            seeds.lines_and_bands(seeds.per_cell(records, found["run"])),
            left_out(records, found, self.where),
        ]
        return " ".join(filter(None, words))

    def draw(self, records: Records) -> Figure:
        """Draws the two panels, which share their vertical scale."""
        figure = Figure(figsize=(WIDTH + style.LEGEND_WIDTH, 2 * HEIGHT))
        ordered, ranked = figure.subplots(2, 1, sharey=True)
        values, families = self._values(records, self.lines), self._values(records, self.families)
        looks = style.looks(values)
        for dashes, (_, held) in zip(
            dashes_of(len(families)),
            records.experiment.along(self.families, self.where),
            strict=True,
        ):
            for value, cell in records.experiment.along(self.lines, held):
                band = self.band(records, cell)
                _draw_line(ordered, band, looks[value].color, dashes)
                ranks = band.sort_values("mean", ascending=False, ignore_index=True)
                _draw_line(ranked, ranks.assign(depth=ranks.index + 1), looks[value].color, dashes)
        for panel, label in ((ordered, "Layer, from the input"), (ranked, "Rank of the layer")):
            panel.set_xlabel(label)
            panel.set_ylabel("Standard deviation")
        ordered.set_ylim(bottom=0)
        self._show_keys(figure, records)
        return figure

    def band(self, records: Records, cell: Cell) -> pd.DataFrame:
        """The profile of one cell, as `probed.over_seeds` gives it, with the arithmetic mean."""
        found = at_step(probed(records, self.chosen, cell), self.step)
        return over_seeds(found, geometric=False)

    def _found(self, records: Records) -> pd.DataFrame:
        return in_cells(records, self.chosen, self.step, self.where, self.families, self.lines)

    def _drawn(self, records: Records, axis: str) -> set[AxisValue]:
        """The values of an axis that a run with such records has."""
        runs = records.runs[records.runs["run"].isin(self._found(records)["run"])]
        return set(runs[axis]) if axis else set()

    def _values(self, records: Records, axis: str) -> list[AxisValue]:
        return [value for value, _ in records.experiment.along(axis)]

    def _show_keys(self, figure: Figure, records: Records) -> None:
        label = records.experiment.label
        values, families = self._values(records, self.lines), self._values(records, self.families)
        drawn_values, drawn_families = (
            self._drawn(records, axis) for axis in (self.lines, self.families)
        )
        by_color = [
            Line2D([], [], color=look.color, label=style.title(label(value)))
            for value, look in style.looks(values).items()
            if value in drawn_values
        ]
        by_dashes = [
            Line2D([], [], color=style.INK, ls=dashes, label=style.title(label(family)))
            for family, dashes in zip(families, dashes_of(len(families)), strict=True)
            if family in drawn_families
        ]
        edges.keys_beside(figure, by_color, style.title(label(self.lines)))
        edges.keys_below(figure, by_dashes)


def dashes_of(count: int) -> list[Any]:
    """Dashes that tell so many apart; the last is solid."""
    return [_DASHES[place % len(_DASHES)] for place in reversed(range(count))]


def _draw_line(panel: Axes, band: pd.DataFrame, color: str, dashes: Any) -> None:
    at = band["depth"].to_numpy(dtype=float)
    panel.fill_between(at, band["low"], band["high"], fc=color, **style.BAND)
    panel.plot(at, band["mean"], c=color, ls=dashes, lw=1.4)
