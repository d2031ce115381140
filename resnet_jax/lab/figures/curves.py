"""Learning curves: each seed, mean and range over seeds, against the training step."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.figures import captions, layers, layout, scales, style
from resnet_jax.lab.figures.base import Drawing
from resnet_jax.lab.figures.style import WIDE, Format
from resnet_jax.lab.formatting import with_unit
from resnet_jax.lab.measures import describe
from resnet_jax.lab.results.records import Records, of_cell, with_values


@dataclass(frozen=True, kw_only=True)
class Curves(Drawing):
    """A measure against the training step.

    Attributes:
      measure: the measure: "train_..." as recorded during training, averaged over the steps since
        the previous record, or "test_..." as recorded by evaluations.
      panels: the axis whose values are panels side by side; empty for one panel.
      lines: the axis whose values are lines; empty for one line.
    """

    measure: str = "train_error"
    panels: str = ""
    lines: str = ""
    name: str = "training_curves"

    varies = ("panels", "lines")

    @property
    def measures(self) -> tuple[str, ...]:
        """The one measure."""
        return (self.measure,)

    def sentences(self, records: Records) -> list[str]:
        drawn = _by_run(records, self.measure, self.where)
        words = [captions.lines_and_bands(captions.seeds_by_cell(records, drawn))]
        if self.measure.startswith("train_"):
            words.append("Each point averages the steps since the previous one.")
        shown = with_values(of_cell(records.runs, self.where))
        diverged = int((shown["status"] == "diverged").sum())
        if diverged:
            value = with_unit(records.experiment.diverged[self.measure], self.measure)
            words.append(f"Diverged runs ({diverged}) count as {value} after their last record.")
        return words

    def draw(self, records: Records, form: Format = WIDE) -> Figure:
        along = records.experiment.along(self.panels, self.where)
        figure, panels = layout.grid_of_panels(len(along), form, sharex=True, sharey=True)
        for panel, (value, held) in zip(panels, along, strict=True):
            self._draw_panel(panel, records, held)
            panel.set_title(layout.panel_title(records, self.panels, value), loc="left")
        layout.label_below(panels, "Training step")
        layout.label_beside(panels, describe(self.measure).axis_label)
        panels[0].set_xlim(left=0)
        scales.scale_to(panels[0], self.measure)
        layout.line_legend(figure, panels, records, self.lines, form)
        return figure

    def _draw_panel(self, panel: Axes, records: Records, held: Cell) -> None:
        along = records.experiment.along(self.lines, held)
        looks = style.looks([value for value, _ in along])
        for value, cell in along:
            seeds, look = _by_run(records, self.measure, cell), looks[value]
            if not seeds:  # no key in the legend without a line
                continue
            label = layout.title(records, value)
            band = seed_band(records, self.measure, cell)
            name = layout.panel_title(records, self.lines, value)
            layers.draw_lines(panel, band, seeds, look, records, label, name=name)


def seed_band(records: Records, measure: str, cell: Cell) -> pd.DataFrame:
    """Computes mean and range over the seeds of a cell at each step.

    Args:
      records: the experiment's records.
      measure: see `Curves`.
      cell: one value for each axis.

    Returns:
      A table indexed by step, with columns `mean`, `low` and `high` in the measure's unit. A
      diverged run has the value in `Experiment.diverged` at every step after its last record;
      failed and missing runs are excluded.
    """
    by_run = pd.DataFrame(_by_run(records, measure, cell)).sort_index()
    return pd.DataFrame(
        {"mean": by_run.mean(axis=1), "low": by_run.min(axis=1), "high": by_run.max(axis=1)}
    )


def _by_run(records: Records, measure: str, cell: Cell) -> dict[str, pd.Series]:
    """The values of each run by step; runs without any are excluded."""
    series = _series(records.metrics, measure)
    every_step = pd.Index(series["step"].unique())
    columns = {}
    for run in with_values(of_cell(records.runs, cell)).itertuples():
        column = series[series["run"] == run.run].set_index("step")["value"].dropna()
        if run.status == "diverged":
            later = every_step[every_step > column.index.max()] if len(column) else every_step
            declared = pd.Series(records.experiment.diverged[measure], index=later)
            column = pd.concat([column, declared])
        if len(column):
            columns[str(run.run)] = column
    return columns


def _series(metrics: pd.DataFrame, measure: str) -> pd.DataFrame:
    # "train_error" is column "error" of the training records, "test_error" that of the evaluations
    # on the test split.
    split, _, quantity = measure.partition("_")
    of_split = metrics["kind"] == "train" if split == "train" else metrics["split"] == split
    value = metrics[quantity] if quantity in metrics else pd.Series(float("nan"), metrics.index)
    return metrics.assign(value=value)[of_split].astype({"step": int, "value": float})
