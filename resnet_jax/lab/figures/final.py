"""Where training ends: each seed, their mean and its interval, along one axis of the grid."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resnet_jax.lab import statistics
from resnet_jax.lab.experiment import Cell
from resnet_jax.lab.figures import style
from resnet_jax.lab.measures import measure as named
from resnet_jax.lab.records import Records, of_cell, with_values
from resnet_jax.lab.wording import count, with_unit

Places = Float[np.ndarray, " cells"]

LINES_APART, SEEDS_ASIDE = 0.32, 0.11  # of the space between values, so that marks stay apart


@dataclass(frozen=True, kw_only=True)
class Final:
    """Final measures along an axis: a panel for each measure, a line for each value of another.

    Attributes:
      x: the axis along which the measures are drawn, its values equally spaced.
      lines: the axis whose values are lines; empty for one line.
      measures: one panel for each; measures of the same unit share their scale.
      where: the value of each further axis.
      says: what the reader is to see; opens the caption.
      name: what the files are called.
    """

    x: str
    lines: str = ""
    measures: tuple[str, ...] = ("train_error", "test_error")
    where: Cell = field(default_factory=dict)
    says: str = ""
    name: str = "final"

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes that are x, lines or held fixed."""
        return self.x, *filter(None, (self.lines,)), *self.where

    def caption(self, records: Records) -> str:
        """What the figure shows, what its marks mean, and what became of the runs."""
        shown = with_values(of_cell(records.runs, self.where))
        words = [
            self.says,
            "Open marks: one seed each. Full marks and lines: their mean. Bars: its 95% "
            f"interval by Student's t over {count(shown['seed'].nunique(), 'seed')}.",
        ]
        diverged = shown[shown["status"] == "diverged"]
        if len(diverged):
            values = {with_unit(records.experiment.diverged[m], m) for m in self.measures}
            words.append(
                f"Crosses: {count(len(diverged), 'run')} that diverged, counted as "
                f"{' and '.join(sorted(values))}."
            )
        return " ".join(filter(None, words))

    def draw(self, records: Records) -> Figure:
        """Draws the panels."""
        one_unit = len({named(measure).unit for measure in self.measures}) == 1
        figure, panels = style.row_of_panels(len(self.measures), sharey=one_unit)
        for panel, measure in zip(panels, self.measures, strict=True):
            self._draw_panel(panel, records, measure)
        if self.lines:
            style.legend(figure, panels[0])
        return figure

    def _draw_panel(self, panel: Axes, records: Records, measure: str) -> None:
        experiment = records.experiment
        along = experiment.along(self.lines, self.where)
        looks = style.looks([value for value, _ in along])
        for place, (value, held) in enumerate(along):
            cells = [of_cell(records.runs, cell) for _, cell in experiment.along(self.x, held)]
            aside = LINES_APART * (place - (len(along) - 1) / 2)
            at = np.arange(len(cells)) + aside
            label = style.title(experiment.label(value))
            _draw_means(panel, at, cells, measure, looks[value], label)
            _draw_seeds(panel, at + SEEDS_ASIDE, cells, measure, looks[value])
        panel.set_xticks(range(len(cells)), [experiment.label(x) for x in experiment.axes[self.x]])
        panel.set_xlim(-0.5, len(cells) - 0.5)
        panel.set_xlabel(style.title(experiment.label(self.x)))
        panel.tick_params(labelleft=True)
        style.scale_of(panel, measure)


def _draw_means(
    panel: Axes, at: Places, cells: list[pd.DataFrame], measure: str, look: style.Look, label: str
) -> None:
    seeds = pd.DataFrame([statistics.summarize(cell[measure]) for cell in cells])
    mean, reach = seeds["mean"], (seeds["mean"] - seeds["low"], seeds["high"] - seeds["mean"])
    panel.errorbar(at, mean, yerr=reach, color=look.color, **style.INTERVAL)
    panel.plot(
        at, mean, color=look.color, ls=look.dashes, marker=look.marker, label=label, **style.MEAN
    )


def _draw_seeds(
    panel: Axes, at: Places, cells: list[pd.DataFrame], measure: str, look: style.Look
) -> None:
    for x, cell in zip(at, cells, strict=True):
        for status, marker in (("done", look.marker), ("diverged", "x")):
            values = cell[cell["status"] == status][measure]
            at_x = [x] * len(values)
            panel.plot(at_x, values, marker=marker, color=look.color, **style.SEED)
