"""How much larger a quantity is at a network's first site than at its last, against its depth."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resnet_jax.errors import UserError
from resnet_jax.lab.analysis import growth
from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.figures import edges, seeds, style, ticks
from resnet_jax.lab.figures.fits import fit_words, fits, means
from resnet_jax.lab.figures.probed import Chosen, at_step, in_cells, left_out, probed, when
from resnet_jax.lab.formatting import count
from resnet_jax.lab.results.records import Records

At = Float[np.ndarray, " runs"]

WIDTH = 6.4  # inches: depths are many
NEAREST, FURTHEST = 0.22, 0.54  # of the space between depths: where seeds stand, right of a mean
SPACE = 0.08, 0.12  # of the span of the depths: the least and the most that it is taken for
MEAN: dict[str, Any] = {**style.MEAN, "markersize": 5.5}
FITS = {"exponential": (0, (6, 2)), "power law": (0, (1, 1.6))}
THIN: dict[str, Any] = {"linewidth": 1.0, "zorder": 1.5}

_FIT_KEYS: list[Artist] = [
    Line2D([], [], color=style.INK, ls=dashes, label=name, **THIN) for name, dashes in FITS.items()
]


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """The first site's value over the last site's: each seed, their mean, and fits along depth.

    Attributes:
      x: the axis of the networks' depths, whose values are positive numbers.
      lines: the axis whose values are told apart; empty for one.
      quantity: what is drawn: a column of the records of probes, such as "gradient_norm".
      of: the kind of site: "unit", "parameter" or "activation".
      sites: patterns of the sites' paths; the first and the last in network order count.
      step: after how many updates; None for the last probe.
      fits: whether to draw an exponential and a power law of the depth.
      where: the value of each further axis.
      says: what the reader is to see; opens the caption.
      name: what the files are called.
    """

    x: str = "depth"
    lines: str = ""
    quantity: str = "gradient_norm"
    of: str = "unit"
    sites: str | tuple[str, ...] = "*"
    step: int | None = 0
    fits: bool = True
    where: Cell = field(default_factory=dict)
    says: str = ""
    name: str = "ratio"

    def __post_init__(self) -> None:
        _ = self.chosen.quantity  # a name that is not known is an error here, before anything runs

    @property
    def chosen(self) -> Chosen:
        """The quantity and the sites."""
        return Chosen(self.quantity, self.of, self.sites)

    @property
    def measures(self) -> tuple[str, ...]:
        """No final measure: what is shown comes from the probes' records."""
        return ()

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes that are x, lines or held fixed."""
        return self.x, *filter(None, (self.lines,)), *self.where

    def caption(self, records: Records) -> str:
        """What the figure shows, what its marks mean, what was fitted and what has no ratio."""
        quantity, table = self.chosen.quantity, self.table(records)
        counts = seeds.per_cell(records, table[_has_logarithm(table)]["run"])
        found = in_cells(records, self.chosen, self.step, self.where, self.x, self.lines)
        words = [
            self.says,
            f"{style.title(quantity.words)} of the first {self._site} over that of the last, "
            f"{when(self.step, found)}; of each {self._site}: {quantity.meaning}.",
            _on_marks(counts),
            *self._on_fits(records, table),
            *_on_the_lost(table),
            left_out(records, found, self.where),
        ]
        return " ".join(filter(None, words))

    def draw(self, records: Records) -> Figure:
        """Draws the one panel."""
        depths, table = self._depths(records), self.table(records)
        figure, (panel,) = style.row_of_panels(1)
        figure.set_size_inches(WIDTH, style.PANEL_HEIGHT)
        panel.set_yscale("log")
        ticks.on_log_axis(panel)
        panel.axhline(1, color=style.INK, lw=0.8, zorder=1)
        self._draw_lines(panel, records, table)
        edges.make_room(panel, table)
        panel.set_xticks(depths, [f"{depth:g}" for depth in depths])
        panel.set_xlabel(style.title(records.experiment.label(self.x)))
        words = style.title(self.chosen.quantity.words)
        panel.set_ylabel(f"{words}:\nfirst {self._site} / last {self._site}")
        if self.lines:
            keys = edges.keys_of_lines([panel], records.experiment, self.lines)
            edges.keys_beside(figure, keys)
        marks = edges.edge_keys(int(table["zeros"].sum()), int(table["strange"].sum()))
        fitted = _FIT_KEYS if self._on_fits(records, table) else []
        edges.keys_below(figure, [*fitted, *marks], panels=2)
        return figure

    def table(self, records: Records) -> pd.DataFrame:
        """What is drawn: one row for each run.

        Returns:
          Columns `run`, `line` (the value of that axis), `depth`, `ratio`, and whether this is zero
          (`zeros`: the first value is) or has no finite value (`strange`: the last value is zero,
          or one of both is not finite).
        """
        rows = [
            {"run": run, "line": line, "depth": depth, "ratio": growth.first_to_last(values)}
            for line, held in records.experiment.along(self.lines, self.where)
            for depth, cell in records.experiment.along(self.x, held)
            for run, values in self._values(records, cell).items()
        ]
        table = pd.DataFrame(rows, columns=["run", "line", "depth", "ratio"])
        ratio = table["ratio"].astype(float)
        return table.assign(ratio=ratio, zeros=ratio == 0, strange=~np.isfinite(ratio))

    @property
    def _site(self) -> str:
        return "unit" if self.of == "unit" else "site"

    def _depths(self, records: Records) -> list[float]:
        depths = records.experiment.axes[self.x]
        for depth in depths:
            if isinstance(depth, str | bool) or depth <= 0:
                raise UserError(
                    f"figure {self.name!r}: {depth!r} is not a depth; let x name an axis of depths"
                )
        return [float(depth) for depth in depths]

    def _values(self, records: Records, cell: Cell) -> dict[str, np.ndarray]:
        found = at_step(probed(records, self.chosen, cell), self.step)
        by_run = found.groupby("run", sort=False)["value"]
        return {str(run): values.to_numpy() for run, values in by_run}

    def _draw_lines(self, panel: Axes, records: Records, table: pd.DataFrame) -> None:
        values = [value for value, _ in records.experiment.along(self.lines)]
        looks, space = style.looks(values), _space(self._depths(records))
        for place, value in enumerate(values):
            of_line = table[table["line"] == value]
            if not len(of_line):  # it would stand in the legend without a mark
                continue
            label, look = style.title(records.experiment.label(value)), looks[value]
            aside = NEAREST + (FURTHEST - NEAREST) * place / max(len(values) - 1, 1)
            at = of_line["depth"].to_numpy(dtype=float) + aside * space
            _draw_means(panel, means(of_line), look, label)
            _draw_seeds(panel, at, of_line, look)
            edges.mark_edges(panel, at, of_line, look.color, edges.rows_before(table, value))
            if self.fits:
                _draw_fits(panel, means(of_line), look)

    def _on_fits(self, records: Records, table: pd.DataFrame) -> list[str]:
        if not self.fits:
            return []
        words = []
        for value, _ in records.experiment.along(self.lines):
            told = fit_words(means(table[table["line"] == value]))
            name = f"{records.experiment.label(value)}: " if self.lines else ""
            words += [style.title(f"{name}{told}.")] if told else []
        head = "Thin lines: least-squares fits to the means; the ratio is not squared."
        return [head, *words] if words else []


def _has_logarithm(table: pd.DataFrame) -> pd.Series:
    return ~table["zeros"] & ~table["strange"]


def _space(depths: list[float]) -> float:
    """The least space between depths, within reason."""
    least = float(np.min(np.diff(sorted(depths)), initial=np.inf))
    return float(np.clip(least, *(share * np.ptp(depths) for share in SPACE)))


def _draw_means(panel: Axes, mean: pd.DataFrame, look: style.Look, label: str) -> None:
    at, value = mean["depth"], mean["mean"]
    reach = value - mean["low"], mean["high"] - value
    panel.errorbar(at, value, yerr=reach, color=look.color, **style.INTERVAL)
    panel.plot(at, value, color=look.color, marker=look.marker, ls="none", label=label, **MEAN)


def _draw_seeds(panel: Axes, at: At, table: pd.DataFrame, look: style.Look) -> None:
    shown = _has_logarithm(table).to_numpy()
    ratio = table["ratio"].to_numpy()[shown]
    panel.plot(at[shown], ratio, c=look.color, marker=look.marker, **style.SEED)


def _draw_fits(panel: Axes, mean: pd.DataFrame, look: style.Look) -> None:
    depth = np.linspace(mean["depth"].min(), mean["depth"].max(), 200)
    for name, fit in fits(mean).items():
        x = depth if name == "exponential" else np.log(depth)
        panel.plot(
            depth, np.exp(fit.intercept + fit.slope * x), c=look.color, ls=FITS[name], **THIN
        )


def _on_marks(counts: list[int]) -> str:
    if not seeds.several(counts):
        return f"Marks: {seeds.told(counts)}." if counts else ""
    return (
        "Full marks: the geometric mean of the seeds. Open marks, at its right: one seed each. "
        f"Bars: the mean's 95% interval by Student's t of the logarithm over {seeds.told(counts)}."
    )


def _on_the_lost(table: pd.DataFrame) -> list[str]:
    zeros, strange = int(table["zeros"].sum()), int(table["strange"].sum())
    words = []
    if zeros:
        words.append(f"Triangles at the lower edge: the first is zero, {count(zeros, 'run')}.")
    if strange:
        words.append(
            "Crosses at the upper edge: no finite ratio, as the last is zero or one of them is not "
            f"finite, {count(strange, 'run')}."
        )
    return words
