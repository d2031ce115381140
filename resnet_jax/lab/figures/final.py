"""Final measures: each seed, the mean and its interval, along one axis of the grid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resnet_jax.lab.analysis import scaling
from resnet_jax.lab.analysis.scaling import LawName, Scaling
from resnet_jax.lab.design.protocols import AxisValue, Cell
from resnet_jax.lab.figures import captions, fits, layers, layout, scales, style
from resnet_jax.lab.figures.base import Drawing
from resnet_jax.lab.figures.layers import Estimates, Mean
from resnet_jax.lab.figures.style import WIDE, Format
from resnet_jax.lab.formatting import capitalized, count, with_unit
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records, of_cell, with_values

ROW, ROW_STEP = 0.32, 15.0  # of names: height of each line in inches, distance of lines in points
STEP, SPAN = (
    7.0,
    24.0,
)  # of numbers, in points: distance of lines, and at most that of the outermost


@dataclass(frozen=True, kw_only=True)
class Final(Drawing):
    """Final measures along an axis: a panel for each measure, a line for each value of another.

    Numbers are placed at their values along the horizontal axis and joined by lines; the scale is
    logarithmic if they span a factor of ten or grow by a constant factor. Names are listed from top
    to bottom and not joined.

    Attributes:
      x: the axis along which the measures are drawn.
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
            "Faint marks: single seeds. Solid marks: their mean. Bars: 95% interval of the mean "
            f"over seeds ({captions.sample(counts)})."
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
        return words + self._explain_fits(records)

    def draw(self, records: Records, form: Format = WIDE) -> Figure:
        values = records.experiment.axes[self.x]
        names = not scales.are_numbers(values)
        one_unit = len({describe(measure).unit for measure in self.measures}) == 1
        figure, panels = layout.grid_of_panels(
            len(self.measures), form, sharex=not names or one_unit, sharey=names or one_unit
        )
        fitted = self._fits(records)
        drawn = [self._estimates(records, measure, names) for measure in self.measures]
        if names:
            rows, lines = len(panels) // layout.columns(panels), max(map(len, drawn))
            figure.set_figheight(rows * (0.9 + ROW * len(values) * max(lines, 1)))
        for panel, measure, estimates in zip(panels, self.measures, drawn, strict=True):
            self._label(panel, records, measure, names, form)
            for each in estimates:
                layers.draw_estimates(panel, each, joined=not names)
                for fit, law, of, line in fitted:
                    if (of, line) == (measure, each.label):
                        fits.draw_curve(panel, fit, law, each, measure)
            together = [each for of in drawn for each in of] if one_unit else estimates
            layers.limit(panel, together, describe(measure).bounds)
        for panel, estimates in zip(panels, drawn, strict=True):
            for each in estimates:
                layers.draw_arrows(panel, each)
        axis = layout.title(records, self.x)
        (layout.label_beside if names else layout.label_below)(panels, axis)
        numbers = self.lines and scales.are_numbers(records.experiment.axes[self.lines])
        layout.line_legend(figure, panels, records, self.lines, form, titled=bool(numbers))
        layout.legend_below(figure, fits.keys(law for _, law, *_ in fitted))
        return figure

    def _label(
        self, panel: Axes, records: Records, measure: str, names: bool, form: Format
    ) -> None:
        experiment = records.experiment
        values = experiment.axes[self.x]
        if names:
            words = layout.names([experiment.label(value) for value in values], form)
            panel.set_yticks(range(len(values)), words)
            panel.set_ylim(len(values) - 0.5, -0.5)  # the first value at the top, as in the table
            panel.grid(visible=False, axis="y")
            panel.grid(visible=True, axis="x")
            panel.set_xlabel(layout.wrapped(describe(measure).axis_label, panel, "x"))
            panel.tick_params(labelbottom=True)
        else:
            scales.number_settings(panel, [float(value) for value in values])
            panel.set_ylabel(layout.wrapped(describe(measure).axis_label, panel, "y"))
            panel.tick_params(labelleft=True)

    def _fits(self, records: Records) -> list[tuple[Scaling, LawName, str, str]]:
        """The fits of which one law fits better: the law, the measure, the label of the line."""
        if self.x not in scaling.numeric_axes(records):
            return []
        found = [
            (scaling.along(records, measure, self.x, held).scaling, measure, line)
            for measure in self.measures
            for line, held in records.experiment.along(self.lines, self.where)
        ]
        return [
            (fit, fit.better, measure, layout.title(records, line))
            for fit, measure, line in found
            if fit and fit.better
        ]

    def _explain_fits(self, records: Records) -> list[str]:
        told = []
        for fit, law, measure, line in self._fits(records):
            of = describe(measure).words if len(self.measures) > 1 else ""
            names = [capitalized(", ".join(filter(None, (of, line))))] if of or line else []
            told.append(": ".join([*names, fits.told(fit, law)]))
        head = "Thin curves: fits to the logarithms, where one law fits better."
        return [head, *(capitalized(f"{words}.") for words in told)] if told else []

    def _estimates(self, records: Records, measure: str, names: bool) -> list[Estimates]:
        experiment = records.experiment
        along = experiment.along(self.lines, self.where)
        looks = style.looks([value for value, _ in along])
        step = ROW_STEP if names else min(STEP, SPAN / len(along))
        found = []
        for place, (line, held) in enumerate(along):
            cells = experiment.along(self.x, held)
            if not names:
                cells.sort(key=lambda cell: float(cell[0]))
            at = [float(i if names else value) for i, (value, _) in enumerate(cells)]
            each = Estimates(
                at=np.array(at),
                names=[experiment.label(value) for value, _ in cells],
                means=[_mean(records, measure, cell) for _, cell in cells],
                seeds=_seeds(records, measure, cells, at),
                look=looks[line],
                label=layout.title(records, line),
                name=layout.panel_title(records, self.lines, line),
                axis="x" if names else "y",
                points=step * (place - (len(along) - 1) / 2) * (-1 if names else 1),
            )
            if np.isfinite(each.of("mean")).any():  # no key in the legend without a mark
                found.append(each)
        return found


def _mean(records: Records, measure: str, cell: Cell) -> Mean:
    found = records.summary(measure, cell)
    return Mean(found.n, found.mean, found.low, found.high)


def _seeds(
    records: Records, measure: str, cells: list[tuple[AxisValue, Cell]], at: Sequence[float]
) -> pd.DataFrame:
    parts = []
    for (value, cell), place in zip(cells, at, strict=True):
        runs = of_cell(records.runs, cell)
        name = records.experiment.label(value)
        parts.append(runs.assign(at=place, place=name, value=runs[measure]))
    return pd.concat(parts, ignore_index=True)[layers.COLUMNS]
