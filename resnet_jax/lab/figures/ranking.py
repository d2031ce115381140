"""The effect of each value of an axis on a measure, against a baseline, in order of size."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from resnet_jax.lab.analysis.ranking import Effect, rank
from resnet_jax.lab.design.protocols import AxisValue, Cell
from resnet_jax.lab.figures import captions, layout, style
from resnet_jax.lab.figures.base import Drawing
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records

ROW = 0.24  # height in inches of each value


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
            "Bars: 95% interval of the mean (Student's t), not corrected for the number of "
            "comparisons."
            if captions.several(pairs)
            else "",
        ]

    def draw(self, records: Records) -> Figure:
        experiment = records.experiment
        along = experiment.along(self.panels, self.where)
        figure, panels = layout.row_of_panels(len(along), sharey=True)
        order: list[AxisValue] = []
        for panel, (value, held) in zip(panels, along, strict=True):
            effects = self._rank(records, held)
            order += [each.value for each in effects if each.value not in order]
            at = [order.index(each.value) for each in effects]
            mean, low, high = (
                np.array([getattr(each.difference, of) for each in effects], float)
                for of in ("mean", "low", "high")
            )
            reach = np.stack([mean - low, high - mean])
            panel.errorbar(x=mean, y=at, xerr=reach, color=style.INK, **style.INTERVAL)
            panel.plot(mean, at, ls="none", color=style.INK, marker="o", **style.MEAN)
            panel.axvline(0, color=style.INK, lw=0.8, zorder=1)
            panel.set_title(layout.title(records, value) if self.panels else "")
            unit = describe(self.measure).unit_of_difference
            panel.set_xlabel(f"Change of {describe(self.measure).words} ({unit})")
        panels[0].set_yticks(range(len(order)), [experiment.label(value) for value in order])
        panels[0].set_ylim(len(order) - 0.5, -0.5)
        figure.set_figheight(max(style.PANEL_HEIGHT, 1 + ROW * len(order)))
        return figure

    def _rank(self, records: Records, held: Cell) -> list[Effect]:
        return rank(records, self.axis, self.than, self.measure, held)
