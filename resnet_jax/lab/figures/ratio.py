"""The ratio of a quantity between the first and the last site of networks, against their depth."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resnet_jax.errors import UserError
from resnet_jax.lab.analysis import growth, scaling
from resnet_jax.lab.analysis.scaling import Scaling
from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.figures import captions, edges, fits, layers, layout, scales, style
from resnet_jax.lab.figures.layers import Estimates, Mean
from resnet_jax.lab.figures.probed import StepDrawing
from resnet_jax.lab.figures.style import WIDE, Format
from resnet_jax.lab.formatting import capitalized, count
from resnet_jax.lab.results.records import Records

At = Float[np.ndarray, " runs"]

WIDTH = 6.4  # inches
STEP, SPAN = 5.0, 15.0  # in points: distance of lines, and at most that of the outermost


@dataclass(frozen=True, kw_only=True)
class Ratio(StepDrawing):
    """The first site's value divided by the last site's: seeds, their mean, and fits along depth.

    Attributes:
      x: the axis of the networks' depths, which are positive numbers.
      lines: the axis whose values are lines; empty for one line.
      fits: whether to fit an exponential and a power law of the depth.
    """

    x: str = "depth"
    lines: str = ""
    fits: bool = True
    name: str = "ratio"

    varies = ("x", "lines")

    def explain(self, records: Records, found: pd.DataFrame) -> list[str]:
        quantity, table = self.described, self.table(records)
        return [
            f"{capitalized(quantity.words)} ({quantity.meaning}) of the first {self._site} divided "
            f"by that of the last, {self.when(found)}.",
            _explain_marks(captions.seeds_by_cell(records, table[_has_logarithm(table)]["run"])),
            *self._explain_fits(records, table),
            *_explain_edges(table),
        ]

    def draw(self, records: Records, form: Format = WIDE) -> Figure:
        depths, table = self._depths(records), self.table(records)
        figure, (panel,) = layout.grid_of_panels(1, form)
        figure.set_figwidth(min(WIDTH, form.width))
        scales.logarithmic(panel)
        panel.axhline(1, color=style.INK, lw=0.8, zorder=1)
        drawn = self._draw_lines(panel, records, table)
        layers.limit(panel, drawn)
        edges.make_room(panel, table)
        for each in drawn:
            layers.draw_arrows(panel, each)
        scales.number_settings(panel, depths, logarithmic=False)
        layout.label_below([panel], layout.title(records, self.x))
        words = capitalized(self.described.words)
        panel.set_ylabel(f"{words}:\nfirst {self._site} / last {self._site}")
        layout.line_legend(figure, [panel], records, self.lines, form, titled=False)
        fitted = fits.keys(fits.DASHES) if self._explain_fits(records, table) else []
        marks = edges.keys(int(table["zeros"].sum()), int(table["nonfinite"].sum()))
        layout.legend_below(figure, [*fitted, *marks])
        return figure

    def table(self, records: Records) -> pd.DataFrame:
        """Computes the ratio of each run.

        Returns:
          Columns `run`, `line` (value of that axis), `depth`, `ratio`, and whether the ratio is
          zero (`zeros`) or not finite (`nonfinite`: the last value is zero, or either value is not
          finite).
        """
        rows = [
            {"run": run, "line": line, "depth": depth, "ratio": growth.first_to_last(values)}
            for line, held in records.experiment.along(self.lines, self.where)
            for depth, cell in records.experiment.along(self.x, held)
            for run, values in self._profiles(records, cell).items()
        ]
        table = pd.DataFrame(rows, columns=["run", "line", "depth", "ratio"])
        ratio = table["ratio"].astype(float)
        return table.assign(ratio=ratio, zeros=ratio == 0, nonfinite=~np.isfinite(ratio))

    @property
    def _site(self) -> str:
        return "unit" if self.of == "unit" else "site"

    def _depths(self, records: Records) -> list[float]:
        depths = records.experiment.axes[self.x]
        for depth in depths:
            if isinstance(depth, str | bool) or depth <= 0:
                raise UserError(
                    f"figure {self.name!r}: the axis x={self.x!r} has the value {depth!r}, which "
                    "is not a depth; name an axis of positive numbers"
                )
        return [float(depth) for depth in depths]

    def _profiles(self, records: Records, cell: Cell) -> dict[str, At]:
        by_run = self.rows(records, cell).groupby("run", sort=False)["value"]
        return {str(run): values.to_numpy() for run, values in by_run}

    def _draw_lines(self, panel: Axes, records: Records, table: pd.DataFrame) -> list[Estimates]:
        values = [value for value, _ in records.experiment.along(self.lines)]
        looks, step, drawn = style.looks(values), min(STEP, SPAN / len(values)), []
        for place, value in enumerate(values):
            of_line = table[table["line"] == value]
            if not len(of_line):  # no key in the legend without a mark
                continue
            label, look = layout.title(records, value), looks[value]
            points = step * (place - (len(values) - 1) / 2)
            drawn.append(_estimates(records, of_line, look, label, points))
            layers.draw_estimates(panel, drawn[-1], joined=False)
            at = of_line["depth"].to_numpy(dtype=float)
            edges.mark_edges(panel, at, of_line, look.color, edges.rows_of(table, value), label)
            fitted = _fit(records, of_line) if self.fits else None
            if fitted:
                for law in fits.DASHES:
                    fits.draw_curve(panel, fitted, law, drawn[-1])
        return drawn

    def _explain_fits(self, records: Records, table: pd.DataFrame) -> list[str]:
        if not self.fits:
            return []
        words = []
        for value, _ in records.experiment.along(self.lines):
            fitted = _fit(records, table[table["line"] == value])
            line = f"{records.experiment.label(value)}: " if self.lines else ""
            words += [capitalized(f"{line}{_fit_words(fitted)}.")] if fitted else []
        head = "Thin lines: least-squares fits to the logarithms, for each seed and averaged."
        return [head, *words] if words else []


def means(table: pd.DataFrame) -> pd.DataFrame:
    """Computes the geometric mean of the ratios at each depth, with its 95% interval.

    Args:
      table: as returned by `Ratio.table`.

    Returns:
      One row for each depth with a positive, finite ratio: `depth`, `mean`, `low`, `high`.
    """
    rows = []
    for depth, cell in table[_has_logarithm(table)].groupby("depth"):
        mean = growth.geometric(cell["ratio"])
        rows.append({"depth": depth, "mean": mean.mean, "low": mean.low, "high": mean.high})
    return pd.DataFrame(rows, columns=["depth", "mean", "low", "high"]).astype(float)


def _fit(records: Records, of_line: pd.DataFrame) -> Scaling | None:
    seeds = of_line["run"].map(records.runs.set_index("run")["seed"])
    logs = np.log(of_line["ratio"].where(_has_logarithm(of_line)))
    of_line = of_line.assign(seed=seeds, log=logs)
    return scaling.fit_seeds(of_line.pivot(index="seed", columns="depth", values="log"))


def _fit_words(fitted: Scaling) -> str:
    laws = [fits.told(fitted, law, "layer") for law in fits.DASHES]
    if fitted.better:
        laws.append(f"the {fitted.better} fits better")
    elif fitted.trend:
        laws.append("which fits better cannot be told")
    return "; ".join(laws)


def _has_logarithm(table: pd.DataFrame) -> pd.Series:
    return ~table["zeros"] & ~table["nonfinite"]


def _estimates(
    records: Records, of_line: pd.DataFrame, look: style.Look, label: str, points: float
) -> Estimates:
    mean, shown = means(of_line), of_line[_has_logarithm(of_line)]
    runs = records.runs.set_index("run").loc[shown["run"]]
    seeds = shown.assign(
        seed=runs["seed"].to_numpy(),
        status="done",
        at=shown["depth"],
        place=[f"{depth:g}" for depth in shown["depth"]],
        value=shown["ratio"],
    )
    counts = shown.groupby("depth").size()
    ends = (mean[of].to_numpy(float) for of in ("mean", "low", "high"))
    return Estimates(
        at=mean["depth"].to_numpy(float),
        names=[f"{depth:g}" for depth in mean["depth"]],
        means=[Mean(*each) for each in zip(counts, *ends, strict=True)],
        seeds=seeds,
        look=look,
        label=label,
        points=points,
    )


def _explain_marks(counts: list[int]) -> str:
    if not captions.several(counts):
        return f"Marks: {captions.sample(counts)}." if counts else ""
    return (
        "Solid marks: geometric mean. Faint marks: single seeds. Bars: 95% interval "
        f"of the mean (Student's t of the logarithm, {captions.sample(counts)})."
    )


def _explain_edges(table: pd.DataFrame) -> list[str]:
    zeros, nonfinite = int(table["zeros"].sum()), int(table["nonfinite"].sum())
    words = []
    if zeros:
        runs = count(zeros, "run")
        words.append(f"Triangles at the lower edge: the first value is zero ({runs}).")
    if nonfinite:
        words.append(
            "Crosses at the upper edge: no finite ratio, because the last value is zero or either "
            f"value is not finite ({count(nonfinite, 'run')})."
        )
    return words
