"""Standard deviations of layer responses, after He et al. 2015, Fig. 7."""

from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resnet_jax.lab.design.protocols import AxisValue, Cell
from resnet_jax.lab.figures import captions, layers, layout, style
from resnet_jax.lab.figures.probed import StepDrawing, over_seeds
from resnet_jax.lab.figures.style import WIDE, Format
from resnet_jax.lab.results.records import Records

WIDTH, HEIGHT = 6.2, 2.5  # inches of a panel, at most
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

    def draw(self, records: Records, form: Format = WIDE) -> Figure:
        width = min(form.width, WIDTH + style.LEGEND_WIDTH)
        figure = Figure(figsize=(width, 2 * HEIGHT))
        ordered, ranked = figure.subplots(2, 1, sharey=True)
        looks, dashes = self._looks(records), self._dashes(records)
        for family, held in records.experiment.along(self.families, self.where):
            for value, cell in records.experiment.along(self.lines, held):
                band, found = self.band(records, cell), self.rows(records, cell)
                look = replace(looks[value], dashes=dashes[family])
                keys = [layout.title(records, each) for each in (value, family)]
                rank = band["mean"].rank(ascending=False, method="first")
                for panel, at in ((ordered, band["depth"]), (ranked, rank)):
                    places = pd.Series(at.to_numpy(float), index=list(band["site"]))
                    drawn = band.set_index(places.to_numpy()).sort_index()
                    seeds = _by_run(found, places)
                    layers.draw_lines(panel, drawn, seeds, look, records, *keys, width=1.4)
        for panel, label in ((ordered, "Layer, from the input"), (ranked, "Rank of the layer")):
            panel.set_xlabel(label)
            panel.set_ylabel("Standard deviation")
        ordered.set_ylim(bottom=0)
        self._add_legends(figure, records, form)
        return figure

    def band(self, records: Records, cell: Cell) -> pd.DataFrame:
        """Computes the profile of a cell (see `over_seeds`), with the arithmetic mean."""
        return over_seeds(self.rows(records, cell), geometric=False)

    def _looks(self, records: Records) -> dict[AxisValue, style.Look]:
        return style.looks([value for value, _ in records.experiment.along(self.lines)])

    def _dashes(self, records: Records) -> dict[AxisValue, Any]:
        families = [family for family, _ in records.experiment.along(self.families)]
        return dict(zip(families, dashes_of(len(families)), strict=True))

    def _add_legends(self, figure: Figure, records: Records, form: Format) -> None:
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
        layout.add_legend(figure, by_color, form, layout.title(records, self.lines))
        layout.legend_below(figure, by_dashes)


def dashes_of(count: int) -> list[Any]:
    """Returns dashes that distinguish a number of lines; the last is solid."""
    return [_DASHES[place % len(_DASHES)] for place in reversed(range(count))]


def _by_run(found: pd.DataFrame, places: pd.Series) -> dict[str, pd.Series]:
    """The values of each run by place, given the place of each site."""
    return {
        str(run): pd.Series(
            rows["value"].to_numpy(dtype=float), places[rows["site"]].to_numpy()
        ).sort_index()
        for run, rows in found.groupby("run", sort=False)
    }
