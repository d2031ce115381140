"""Where training ends: each seed, their mean and its interval, along one axis of the grid."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resnet_jax.lab import statistics
from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.figures import edges, seeds, style
from resnet_jax.lab.formatting import count, with_unit
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records, of_cell, with_values

Places = Float[np.ndarray, " cells"]

LINES_APART, LINES_SPAN = 0.32, 0.7  # of the space between values: between lines, and of all lines
SEEDS_ASIDE = 0.34  # of the space between lines: where seeds stand, beside their mean
ROW = 0.34  # inches for each line of a value that has a name


@dataclass(frozen=True, kw_only=True)
class Final:
    """Final measures along an axis: a panel for each measure, a line for each value of another.

    Values that are numbers stand along the horizontal axis and are joined by lines. Values that
    are names stand one under the other, as long as they are, and nothing joins them.

    Attributes:
      x: the axis along which the measures are drawn, its values equally spaced.
      lines: the axis whose values are told apart; empty for one.
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
        counts = [
            n
            for measure in self.measures
            for n in seeds.per_cell(records, shown[shown[measure].notna()]["run"])
        ]
        words = [
            self.says,
            "Open marks: one seed each. Full marks: their mean. Bars: its 95% "
            f"interval by Student's t over {seeds.told(counts)}."
            if seeds.several(counts)
            else f"Marks: {seeds.told(counts)}.",
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
        values = records.experiment.axes[self.x]
        names = any(isinstance(value, str) for value in values)
        one_unit = len({describe(measure).unit for measure in self.measures}) == 1
        figure, panels = style.row_of_panels(
            len(self.measures), sharex=names and one_unit, sharey=names or one_unit
        )
        for panel, measure in zip(panels, self.measures, strict=True):
            series = self._series(records, measure)
            for each in series:
                _draw(panel, each, names)
            self._name_values(panel, records, names)
            figure.set_figheight(max(style.PANEL_HEIGHT, names * ROW * len(values) * len(series)))
        for panel, measure in zip(panels, self.measures, strict=True):  # when all is on the scale
            style.scale_of(panel, measure, "x" if names else "y")
        if self.lines:
            numbers = not any(isinstance(v, str) for v in records.experiment.axes[self.lines])
            title = style.title(records.experiment.label(self.lines)) if numbers else ""
            edges.keys_beside(
                figure, edges.keys_of_lines(panels, records.experiment, self.lines), title
            )
        return figure

    def _name_values(self, panel: Axes, records: Records, names: bool) -> None:
        experiment = records.experiment
        values = experiment.axes[self.x]
        ticks, labels = range(len(values)), [experiment.label(value) for value in values]
        ends = -0.5, len(values) - 0.5
        if names:
            panel.set_yticks(ticks, labels)
            panel.set_ylim(*reversed(ends))  # the first value at the top, as in the table
            panel.grid(visible=False, axis="y")
            panel.grid(visible=True, axis="x")
        else:
            panel.set_xticks(ticks, labels)
            panel.set_xlim(*ends)
            panel.set_xlabel(style.title(experiment.label(self.x)))
            panel.tick_params(labelleft=True)

    def _series(self, records: Records, measure: str) -> list["_Series"]:
        experiment = records.experiment
        along = experiment.along(self.lines, self.where)
        looks = style.looks([value for value, _ in along])
        apart = min(LINES_APART, LINES_SPAN / len(along))
        series = []
        for place, (value, held) in enumerate(along):
            cells = [of_cell(records.runs, cell) for _, cell in experiment.along(self.x, held)]
            at = np.arange(len(cells)) + apart * (place - (len(along) - 1) / 2)
            label = style.title(experiment.label(value))
            series.append(_summarized(at, cells, measure, looks[value], label, apart * SEEDS_ASIDE))
        return series


@dataclass(frozen=True)
class _Series:
    """What one line shows: at each place a mean and its interval, and beside it the seeds."""

    at: Places
    mean: Places
    low: Places
    high: Places
    seeds: list[tuple[float, float, str]]  # place, value, marker
    look: style.Look
    label: str


def _draw(panel: Axes, series: _Series, names: bool) -> None:
    def place(at: Any, value: Any) -> tuple[Any, Any]:
        return (value, at) if names else (at, value)

    if not np.isfinite(series.mean).any():  # it would stand in the legend without a mark
        return
    look, reach = series.look, (series.mean - series.low, series.high - series.mean)
    x, y = place(series.at, series.mean)
    bars: dict[str, Any] = {"xerr" if names else "yerr": reach, "color": look.color}
    panel.errorbar(x=x, y=y, **(bars | style.INTERVAL))
    marks = {"color": look.color, "marker": look.marker, "label": series.label, **style.MEAN}
    dashes = "none" if names else look.dashes
    panel.plot(x, y, ls=dashes, **marks)
    for at, value, marker in series.seeds:
        panel.plot(*place(at, value), marker=marker, color=look.color, **style.SEED)


def _summarized(
    at: Places,
    cells: list[pd.DataFrame],
    measure: str,
    look: style.Look,
    label: str,
    aside: float,
) -> _Series:
    open_marks = [
        (place + aside, value, "x" if status == "diverged" else look.marker)
        for place, cell in zip(at, cells, strict=True)
        for status, value in zip(cell["status"], cell[measure], strict=True)
    ]
    summaries = pd.DataFrame([statistics.summarize(cell[measure]) for cell in cells])
    mean, low, high = (summaries[of].to_numpy(dtype=float) for of in ("mean", "low", "high"))
    return _Series(at, mean, low, high, open_marks, look, label)
