"""The effect of each value of an axis on a measure, against a baseline, in order of size."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from resnet_jax.lab.analysis.ranking import Effect, rank
from resnet_jax.lab.design.protocols import AxisValue, Cell
from resnet_jax.lab.figures import captions, layers, layout, scales, style
from resnet_jax.lab.figures.base import Drawing
from resnet_jax.lab.figures.layers import Estimates, Mean
from resnet_jax.lab.figures.style import WIDE, Format
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records, of_cell

ROW = 0.24  # height in inches of each value
LOOK = style.Look(style.INK, "-", "o")


@dataclass(frozen=True, kw_only=True)
class Ranking(Drawing):
    """Differences paired by seed, with their intervals, from top to bottom.

    Attributes:
      axis: the axis whose values are ranked.
      than: the baseline value.
      measure: the measure; lower is better.
      panels: the axis whose values are panels, in the order of the first; empty for one panel.
    """

    axis: str
    than: AxisValue
    measure: str = "train_error"
    panels: str = ""
    name: str = "ranking"

    varies = ("axis", "panels")

    @property
    def measures(self) -> tuple[str, ...]:
        """The one measure."""
        return (self.measure,)

    def sentences(self, records: Records) -> list[str]:
        effects = [
            each
            for _, held in records.experiment.along(self.panels, self.where)
            for each in self._rank(records, held)
        ]
        pairs = [each.difference.n for each in effects if each.difference.n]
        baseline = records.experiment.label(self.than)
        return [
            f"Marks: difference from “{baseline}”, paired by seed ({captions.mean_of(pairs)}).",
            "Faint marks: single seeds. Bars: 95% interval of the mean, not "
            "corrected for the number of comparisons."
            if captions.several(pairs)
            else "",
        ]

    def draw(self, records: Records, form: Format = WIDE) -> Figure:
        experiment = records.experiment
        along = experiment.along(self.panels, self.where)
        figure, panels = layout.grid_of_panels(len(along), form, sharex=True, sharey=True)
        order: list[AxisValue] = []
        drawn = []
        for panel, (value, held) in zip(panels, along, strict=True):
            effects = self._rank(records, held)
            order += [each.value for each in effects if each.value not in order]
            drawn.append(self._estimates(records, effects, order, held))
            layers.draw_estimates(panel, drawn[-1], joined=False)
            scales.zero_line(panel, "x")
            panel.set_title(layout.panel_title(records, self.panels, value), loc="left")
            panel.grid(visible=False, axis="y")
            panel.grid(visible=True, axis="x")
        layers.limit(panels[0], drawn)
        for panel, each in zip(panels, drawn, strict=True):
            layers.draw_arrows(panel, each)
        measure = describe(self.measure)
        layout.label_below(panels, f"Change of {measure.words} ({measure.unit_of_difference})")
        panels[0].set_yticks(range(len(order)), [experiment.label(value) for value in order])
        panels[0].set_ylim(len(order) - 0.5, -0.5)
        rows = len(panels) // layout.columns(panels)
        figure.set_figheight(rows * max(0.6 * form.panel_height, 0.8 + ROW * len(order)))
        return figure

    def _estimates(
        self, records: Records, effects: list[Effect], order: list[AxisValue], held: Cell
    ) -> Estimates:
        def by_seed(value: AxisValue) -> pd.DataFrame:
            return of_cell(records.runs, {**held, self.axis: value}).set_index("seed", drop=False)

        baseline = by_seed(self.than)[self.measure]
        at = [order.index(each.value) for each in effects]
        parts = [pd.DataFrame(columns=layers.COLUMNS)]
        for place, each in zip(at, effects, strict=True):
            runs, name = by_seed(each.value), records.experiment.label(each.value)
            change = runs[self.measure] - baseline
            parts.append(runs.assign(at=place, place=name, value=change)[layers.COLUMNS])
        means = [each.difference for each in effects]
        return Estimates(
            at=np.array(at, float),
            names=[records.experiment.label(each.value) for each in effects],
            means=[Mean(each.n, each.mean, each.low, each.high) for each in means],
            seeds=pd.concat(parts[1:] or parts, ignore_index=True),
            look=LOOK,
            label="Difference",
            axis="x",
        )

    def _rank(self, records: Records, held: Cell) -> list[Effect]:
        return rank(records, self.axis, self.than, self.measure, held)
