"""Standard deviations of layer responses, after He et al. 2015, Fig. 7."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resnet_jax.lab.design.protocols import AxisValue, Cell
from resnet_jax.lab.figures import captions, layout, style
from resnet_jax.lab.figures.probed import StepDrawing, over_seeds
from resnet_jax.lab.results.records import Records

WIDTH, HEIGHT = 6.2, 2.5  # inches of a panel
NORMS = ("stem/norm", "stage*/unit*/norm?")

_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))


@dataclass(frozen=True, kw_only=True)
class Responses(StepDrawing):
    """Standard deviations of the outputs of normalization layers, by layer and sorted.

    Attributes:
      lines: the axis that colors distinguish, such as the depth of the networks; empty for one.
      families: the axis that dashes distinguish, its last value solid; empty for one.
      sites: patterns of the outputs' paths; by default all norms but those of projections.
      step: number of updates before the probe; None for the last one. At initialization all
        responses are 1, the scale of the norms.
    """

    lines: str = ""
    families: str = ""
    quantity: str = field(default="signal_std", init=False)
    of: str = field(default="activation", init=False)
    sites: str | tuple[str, ...] = NORMS
    step: int | None = None
    name: str = "responses"

    varies = ("families", "lines")

    def explain(self, records: Records, found: pd.DataFrame) -> list[str]:
        return [
            f"Standard deviation ({self.described.meaning}) of each norm's output, "
            f"{self.when(found)}. In the original order of a unit this is a layer's response "
            "before ReLU and addition.",
            "Top: in network order. Bottom: in descending order.",
            captions.lines_and_bands(captions.seeds_by_cell(records, found["run"])),
        ]

    def draw(self, records: Records) -> Figure:
        figure = Figure(figsize=(WIDTH + style.LEGEND_WIDTH, 2 * HEIGHT))
        ordered, ranked = figure.subplots(2, 1, sharey=True)
        looks, dashes = self._looks(records), self._dashes(records)
        for family, held in records.experiment.along(self.families, self.where):
            for value, cell in records.experiment.along(self.lines, held):
                band, color = self.band(records, cell), looks[value].color
                _draw_line(ordered, band, color, dashes[family])
                ranks = band.sort_values("mean", ascending=False, ignore_index=True)
                _draw_line(ranked, ranks.assign(depth=ranks.index + 1), color, dashes[family])
        for panel, label in ((ordered, "Layer, from the input"), (ranked, "Rank of the layer")):
            panel.set_xlabel(label)
            panel.set_ylabel("Standard deviation")
        ordered.set_ylim(bottom=0)
        self._add_legends(figure, records)
        return figure

    def band(self, records: Records, cell: Cell) -> pd.DataFrame:
        """Computes the profile of a cell (see `over_seeds`), with the arithmetic mean."""
        return over_seeds(self.rows(records, cell), geometric=False)

    def _looks(self, records: Records) -> dict[AxisValue, style.Look]:
        return style.looks([value for value, _ in records.experiment.along(self.lines)])

    def _dashes(self, records: Records) -> dict[AxisValue, Any]:
        families = [family for family, _ in records.experiment.along(self.families)]
        return dict(zip(families, dashes_of(len(families)), strict=True))

    def _add_legends(self, figure: Figure, records: Records) -> None:
        drawn = records.runs[records.runs["run"].isin(self.all_rows(records)["run"])]
        values = set(drawn[self.lines]) if self.lines else set()
        families = set(drawn[self.families]) if self.families else set()
        by_color = [
            Line2D([], [], color=look.color, label=layout.title(records, value))
            for value, look in self._looks(records).items()
            if value in values
        ]
        by_dashes = [
            Line2D([], [], color=style.INK, ls=dashes, label=layout.title(records, family))
            for family, dashes in self._dashes(records).items()
            if family in families
        ]
        layout.legend_beside(figure, by_color, layout.title(records, self.lines))
        layout.legend_below(figure, by_dashes)


def dashes_of(count: int) -> list[Any]:
    """Returns dashes that distinguish a number of lines; the last is solid."""
    return [_DASHES[place % len(_DASHES)] for place in reversed(range(count))]


def _draw_line(panel: Axes, band: pd.DataFrame, color: str, dashes: Any) -> None:
    at = band["depth"].to_numpy(dtype=float)
    panel.fill_between(at, band["low"], band["high"], fc=color, **style.BAND)
    panel.plot(at, band["mean"], c=color, ls=dashes, lw=1.4)
