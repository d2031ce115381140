"""What each value of an axis does to a measure, against one of them, in order of the effect."""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure

from resnet_jax.lab.analysis.ranking import Effect, rank
from resnet_jax.lab.design.protocols import AxisValue, Cell
from resnet_jax.lab.figures import seeds, style
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records

ROW = 0.24  # inches for each value


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Paired differences with their intervals, one under another.

    Attributes:
      axis: whose values are ranked.
      than: the value that the others are compared with.
      measure: the measure compared; lower is better.
      panels: the axis whose values stand side by side, in the order of the first; empty for one.
      where: the value of each further axis.
      says: what the reader is to see; opens the caption.
      name: what the files are called.
    """

    axis: str
    than: AxisValue
    measure: str = "train_error"
    panels: str = ""
    where: Cell = field(default_factory=dict)
    says: str = ""
    name: str = "ranking"

    @property
    def measures(self) -> tuple[str, ...]:
        """The one measure."""
        return (self.measure,)

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes that are ranked, panels or held fixed."""
        return self.axis, *filter(None, (self.panels,)), *self.where

    def caption(self, records: Records) -> str:
        """What the figure shows and what its marks mean."""
        effects = [
            each
            for _, held in records.experiment.along(self.panels, self.where)
            for each in self._rank(records, held)
        ]
        pairs = [each.difference.n for each in effects if each.difference.n]
        against = records.experiment.label(self.than)
        words = [
            self.says,
            f"Marks: the difference from “{against}”, paired by seed, {seeds.mean_of(pairs)}.",
            "Bars: its 95% interval by Student's t, each by itself, without correction for their "
            "number."
            if seeds.several(pairs)
            else "",
        ]
        return " ".join(filter(None, words))

    def draw(self, records: Records) -> Figure:
        """Draws the panels."""
        experiment = records.experiment
        along = experiment.along(self.panels, self.where)
        figure, panels = style.row_of_panels(len(along), sharey=True)
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
            panel.set_title(style.title(experiment.label(value)) if self.panels else "")
            unit = describe(self.measure).unit_of_difference
            panel.set_xlabel(f"Change of {describe(self.measure).words} ({unit})")
        panels[0].set_yticks(range(len(order)), [experiment.label(value) for value in order])
        panels[0].set_ylim(len(order) - 0.5, -0.5)
        figure.set_figheight(max(style.PANEL_HEIGHT, 1 + ROW * len(order)))
        return figure

    def _rank(self, records: Records, held: Cell) -> list[Effect]:
        return rank(records, self.axis, self.than, self.measure, held)
