"""Final measures: each seed, the mean and its interval, along one axis of the grid."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resnet_jax.lab import statistics
from resnet_jax.lab.figures import captions, layout, style
from resnet_jax.lab.figures.base import Drawing
from resnet_jax.lab.formatting import count, with_unit
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records, of_cell, with_values

Places = Float[np.ndarray, " cells"]

# Fractions of the distance between values: distance between lines, and span of all lines; fraction
# of the distance between lines: offset of the seeds from their mean.
LINE_DISTANCE, LINE_SPAN = 0.32, 0.7
SEED_OFFSET = 0.34
ROW = 0.34  # height in inches of each line of a named value


@dataclass(frozen=True, kw_only=True)
class Final(Drawing):
    """Final measures along an axis: a panel for each measure, a line for each value of another.

    Numbers are arranged along the horizontal axis and joined by lines. Names are listed from top to
    bottom and not joined.

    Attributes:
      x: the axis along which the measures are drawn, its values equally spaced.
      lines: the axis whose values are lines; empty for one line.
      measures: the measures, one panel for each; measures of one unit share their scale.
    """

    x: str
    lines: str = ""
    measures: tuple[str, ...] = ("train_error", "test_error")
    name: str = "final"

    varies = ("x", "lines")

    def sentences(self, records: Records) -> list[str]:
        shown = with_values(of_cell(records.runs, self.where))
        counts = [
            n
            for measure in self.measures
            for n in captions.seeds_by_cell(records, shown[shown[measure].notna()]["run"])
        ]
        words = [
            "Open marks: single seeds. Filled marks: their mean. Bars: 95% interval of the mean "
            f"(Student's t, {captions.sample(counts)})."
            if captions.several(counts)
            else f"Marks: {captions.sample(counts)}."
        ]
        diverged = shown[shown["status"] == "diverged"]
        if len(diverged):
            values = {with_unit(records.experiment.diverged[m], m) for m in self.measures}
            words.append(
                f"Crosses: {count(len(diverged), 'diverged run')}, counted as "
                f"{' and '.join(sorted(values))}."
            )
        return words

    def draw(self, records: Records) -> Figure:
        values = records.experiment.axes[self.x]
        names = any(isinstance(value, str) for value in values)
        one_unit = len({describe(measure).unit for measure in self.measures}) == 1
        figure, panels = layout.row_of_panels(
            len(self.measures), sharex=names and one_unit, sharey=names or one_unit
        )
        for panel, measure in zip(panels, self.measures, strict=True):
            series = self._series(records, measure)
            for each in series:
                _draw(panel, each, names)
            self._label_values(panel, records, names)
            figure.set_figheight(max(style.PANEL_HEIGHT, names * ROW * len(values) * len(series)))
        for panel, measure in zip(panels, self.measures, strict=True):  # once all panels are drawn
            layout.scale_to(panel, measure, "x" if names else "y")
        numbers = self.lines and not any(
            isinstance(value, str) for value in records.experiment.axes[self.lines]
        )
        layout.line_legend(figure, panels, records, self.lines, titled=bool(numbers))
        return figure

    def _label_values(self, panel: Axes, records: Records, names: bool) -> None:
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
            panel.set_xlabel(layout.title(records, self.x))
            panel.tick_params(labelleft=True)

    def _series(self, records: Records, measure: str) -> list["_Series"]:
        experiment = records.experiment
        along = experiment.along(self.lines, self.where)
        looks = style.looks([value for value, _ in along])
        distance = min(LINE_DISTANCE, LINE_SPAN / len(along))
        series = []
        for place, (value, held) in enumerate(along):
            cells = [of_cell(records.runs, cell) for _, cell in experiment.along(self.x, held)]
            at = np.arange(len(cells)) + distance * (place - (len(along) - 1) / 2)
            label, offset = layout.title(records, value), distance * SEED_OFFSET
            series.append(_summarized(at, cells, measure, looks[value], label, offset))
        return series


@dataclass(frozen=True)
class _Series:
    """One line: at each place a mean, its interval, and the seeds beside it."""

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

    if not np.isfinite(series.mean).any():  # no key in the legend without a mark
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
    offset: float,
) -> _Series:
    seeds = [
        (place + offset, value, "x" if status == "diverged" else look.marker)
        for place, cell in zip(at, cells, strict=True)
        for status, value in zip(cell["status"], cell[measure], strict=True)
    ]
    summaries = pd.DataFrame([statistics.summarize(cell[measure]) for cell in cells])
    mean, low, high = (summaries[of].to_numpy(dtype=float) for of in ("mean", "low", "high"))
    return _Series(at, mean, low, high, seeds, look, label)
