"""What was measured in training against the step: the mean of the seeds and their range."""

from dataclasses import dataclass, field

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.figures import edges, seeds, style
from resnet_jax.lab.formatting import count, with_unit
from resnet_jax.lab.results.records import Records, of_cell, with_values


@dataclass(frozen=True, kw_only=True)
class Curves:
    """A measure against the training step: a panel for each value of one axis, a line of another.

    Attributes:
      measure: `train_...` as recorded in training, the mean over the steps since the last record;
        `test_...` as recorded by the evaluations.
      panels: the axis whose values stand side by side, with one scale; empty for one panel.
      lines: the axis whose values are lines; empty for one line.
      where: the value of each further axis.
      says: what the reader is to see; opens the caption.
      name: what the files are called.
    """

    measure: str = "train_error"
    panels: str = ""
    lines: str = ""
    where: Cell = field(default_factory=dict)
    says: str = ""
    name: str = "training_curves"

    @property
    def measures(self) -> tuple[str, ...]:
        """The one measure."""
        return (self.measure,)

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes that are panels, lines or held fixed."""
        return *filter(None, (self.panels, self.lines)), *self.where

    def caption(self, records: Records) -> str:
        """What the figure shows, what its marks mean, and what became of the runs."""
        shown = with_values(of_cell(records.runs, self.where))
        drawn = _seeds(records, self.measure, self.where)
        words = [self.says, seeds.lines_and_bands(seeds.per_cell(records, drawn))]
        if self.measure.startswith("train_"):
            words.append("Each point is the mean over the steps since the point before.")
        diverged = int((shown["status"] == "diverged").sum())
        if diverged:
            declared = with_unit(records.experiment.diverged[self.measure], self.measure)
            runs = count(diverged, "run")
            words.append(f"{runs} diverged and from there on counted as {declared}.")
        return " ".join(filter(None, words))

    def draw(self, records: Records) -> Figure:
        """Draws the panels, which share their scales."""
        along = records.experiment.along(self.panels, self.where)
        figure, panels = style.row_of_panels(len(along), sharex=True, sharey=True)
        for panel, (value, held) in zip(panels, along, strict=True):
            self._draw_panel(panel, records, held)
            panel.set_title(style.title(records.experiment.label(value)), loc="left")
            panel.set_xlabel("Training step")
        panels[0].set_xlim(left=0)
        style.scale_of(panels[0], self.measure)
        if self.lines:
            title = style.title(records.experiment.label(self.lines))
            edges.keys_beside(
                figure, edges.keys_of_lines(panels, records.experiment, self.lines), title
            )
        return figure

    def _draw_panel(self, panel: Axes, records: Records, held: Cell) -> None:
        along = records.experiment.along(self.lines, held)
        looks = style.looks([value for value, _ in along])
        for value, cell in along:
            band, look = seed_band(records, self.measure, cell), looks[value]
            if not len(band):  # it would stand in the legend without a line
                continue
            label = style.title(records.experiment.label(value))
            panel.fill_between(band.index, band["low"], band["high"], fc=look.color, **style.BAND)
            panel.plot(band.index, band["mean"], c=look.color, ls=look.dashes, label=label)


def seed_band(records: Records, measure: str, cell: Cell) -> pd.DataFrame:
    """The mean and the range of a cell's seeds at each step.

    Args:
      records: what the runs left behind.
      measure: as in `Curves`.
      cell: a value for each axis.

    Returns:
      A table with the step as its index and the columns `mean`, `low`, `high`, in the measure's
      unit. A run that diverged has the value declared for it at every step after its last
      record; one that failed or is missing is left out.
    """
    of_each = pd.DataFrame(_seeds(records, measure, cell)).sort_index()
    return pd.DataFrame(
        {"mean": of_each.mean(axis=1), "low": of_each.min(axis=1), "high": of_each.max(axis=1)}
    )


def _seeds(records: Records, measure: str, cell: Cell) -> dict[str, pd.Series]:
    """What each run of a cell has at its steps, by the run's name; runs with nothing left out."""
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
    # "train_error" is the column "error" of the training records, "test_error" that of the
    # evaluations on the test split.
    split, _, quantity = measure.partition("_")
    of_split = metrics["kind"] == "train" if split == "train" else metrics["split"] == split
    value = metrics[quantity] if quantity in metrics else pd.Series(float("nan"), metrics.index)
    return metrics.assign(value=value)[of_split].astype({"step": int, "value": float})
