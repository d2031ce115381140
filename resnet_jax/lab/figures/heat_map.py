"""A quantity by site and step: what becomes of a profile in training, as colour."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.figures import edges, seeds, style, ticks
from resnet_jax.lab.figures.learning_rate import drops
from resnet_jax.lab.figures.probed import (
    Chosen,
    is_of_units,
    left_out,
    over_seeds,
    probed,
    stage_ends,
)
from resnet_jax.lab.formatting import count
from resnet_jax.lab.results.records import Records, of_cell

Ends = Float[np.ndarray, " cells_plus_1"]

COLORS = "viridis"  # perceptually uniform: what is lighter in grey is larger

ZERO, STRANGE = "/////", "xxxxx"
HATCH: dict[str, Any] = {"facecolor": "none", "edgecolor": "#777777", "linewidth": 0.0}
DROPS: dict[str, Any] = {"color": style.INK, "lw": 1.2, "ls": (0, (4, 2))}
UNDER: dict[str, Any] = {"color": "white", "lw": 2.6}  # so that dashes show on every colour
STAGES: dict[str, Any] = {"color": "white", "lw": 0.9}


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """A quantity of each site at each probe, on a logarithmic scale of colours.

    Attributes:
      quantity: what is drawn: a column of the records of probes, such as "gradient_norm".
      of: the kind of site: "unit", "parameter" or "activation".
      sites: one pattern of the sites' paths or several, as of a shell; no two sites of one depth.
      panels: the axis whose values stand side by side, with one scale of colours; empty for one.
      steps: "linear", or "log" for the logarithm of the step and one: for probes dense at first.
      where: the value of each further axis.
      says: what the reader is to see; opens the caption.
      name: what the files are called.
    """

    quantity: str = "gradient_norm"
    of: str = "unit"
    sites: str | tuple[str, ...] = "*"
    panels: str = ""
    steps: Literal["linear", "log"] = "linear"
    where: Cell = field(default_factory=dict)
    says: str = ""
    name: str = "heat_map"

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
        """The axes that are panels or held fixed."""
        return *filter(None, (self.panels,)), *self.where

    def caption(self, records: Records) -> str:
        """What the figure shows, what its colours and lines mean, and what became of the runs."""
        quantity, runs = self.chosen.quantity, of_cell(records.runs, self.where)
        found = probed(records, self.chosen, self.where)
        mean = seeds.mean_of(seeds.per_cell(records, found["run"]), "geometric mean")
        words = [
            self.says,
            f"Colour: {quantity.words}, {quantity.meaning}; {mean}. "
            "Each column reaches halfway to the next probe.",
            *self._on_marks(records),
        ]
        diverged = int((runs["status"] == "diverged").sum())
        if diverged:
            words.append(f"{count(diverged, 'run')} diverged, counted as long as recorded.")
        return " ".join(filter(None, [*words, left_out(records, found, self.where)]))

    def draw(self, records: Records) -> Figure:
        """Draws the panels, which share their colours."""
        along = records.experiment.along(self.panels, self.where)
        bands = [self.band(records, cell) for _, cell in along]
        figure, panels = style.row_of_panels(len(along), sharex=True)
        figure.set_dpi(style.DOTS_PER_INCH)  # of the colours, which are pixels in the SVG too
        norm = _norm(pd.concat(bands)["mean"])
        for panel, (value, cell), band in zip(panels, along, bands, strict=True):
            panel.set_title(style.title(records.experiment.label(value)), loc="left")
            self._draw_panel(panel, band, norm)
            for step in drops(records, cell)["step"]:
                panel.axvline(step, **UNDER)
                panel.axvline(step, **DROPS)
        panels[0].set_ylabel(f"{self._site(records)}, from the input")
        scale = ScalarMappable(norm, COLORS)
        label = self.chosen.quantity.axis_label
        ticks.on_log_axis(figure.colorbar(scale, ax=panels, label=label, pad=0.02).ax)
        dropped = any(len(drops(records, cell)) for _, cell in along)
        edges.keys_below(figure, _keys(pd.concat(bands), dropped), len(panels))
        return figure

    def band(self, records: Records, cell: Cell) -> pd.DataFrame:
        """The profiles of one cell at every step, as `probed.over_seeds` gives them."""
        return over_seeds(probed(records, self.chosen, cell))

    def _draw_panel(self, panel: Axes, band: pd.DataFrame, norm: LogNorm) -> None:
        panel.grid(False)
        panel.set_xlabel("Training step")
        if not len(band):
            return
        if self.steps == "log":
            panel.set_xscale("function", functions=(np.log1p, np.expm1))
            panel.set_xticks(_powers_of_ten(band["step"].max()))
        there, back = (np.log1p, np.expm1) if self.steps == "log" else (_same, _same)
        colors = band.pivot(index="depth", columns="step", values="mean")
        across = back(ends(there(colors.columns.to_numpy(dtype=float))))
        up = ends(colors.index.to_numpy(dtype=float))
        panel.pcolormesh(across, up, colors.to_numpy(), norm=norm, cmap=COLORS, rasterized=True)
        _hatch(panel, band[band["zeros"] > 0], across, up, colors, ZERO)
        _hatch(panel, band[band["strange"] > 0], across, up, colors, STRANGE)
        for boundary in _boundaries(band):
            panel.axhline(boundary, **STAGES)

    def _site(self, records: Records) -> str:
        units = is_of_units(probed(records, self.chosen, self.where), self.chosen)
        return "Unit" if units else "Layer"

    def _on_marks(self, records: Records) -> list[str]:
        along = records.experiment.along(self.panels, self.where)
        bands = pd.concat([self.band(records, cell) for _, cell in along])
        words = ["White lines across: where a stage ends."]
        for column, hatch, what in (
            ("zeros", "Stripes", "exactly zero"),
            ("strange", "Lattice", "not finite"),
        ):
            n = int((bands[column] > 0).sum())
            if n:
                words.append(f"{hatch}: {what} in one seed or more ({count(n, 'place')}).")
        if (bands["mean"].notna() & (bands["zeros"] + bands["strange"] > 0)).any():
            words.append("Colour under them is the mean of the other seeds.")
        return [*words, *self._on_drops(records)]

    def _on_drops(self, records: Records) -> list[str]:
        along = records.experiment.along(self.panels, self.where)
        every = pd.concat([drops(records, cell) for _, cell in along])
        if not len(every):
            return []
        fell = " and ".join(
            f"to {each.rate:.3g} at step {each.step}"
            for each in every.drop_duplicates().itertuples()
        )
        return [f"Dashed lines: the learning rate drops, {fell}."]


def ends(centres: Float[np.ndarray, " cells"]) -> Ends:
    """Where cells end that reach halfway to their neighbours; a cell alone is one wide."""
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middles = (centres[:-1] + centres[1:]) / 2
    first, last = 2 * centres[0] - middles[0], 2 * centres[-1] - middles[-1]
    return np.concatenate([[first], middles, [last]])


def _same(x: Ends) -> Ends:
    return x


def _powers_of_ten(last: float) -> list[int]:
    return [0, *(10**n for n in range(int(np.log10(max(last, 1))) + 1))]


def _norm(values: pd.Series) -> LogNorm:
    low, high = values.min(), values.max()
    if np.isnan(low):
        return LogNorm(0.1, 10)
    return LogNorm(low, high) if high > low else LogNorm(low / 2, high * 2)


def _boundaries(band: pd.DataFrame) -> list[float]:
    sites = band.drop_duplicates("site").sort_values("depth")
    before, depth = stage_ends(sites), sites["depth"].to_numpy()
    return list((depth[before] + depth[before + 1]) / 2)


def _hatch(
    panel: Axes, marked: pd.DataFrame, across: Ends, up: Ends, colors: pd.DataFrame, hatch: str
) -> None:
    columns = colors.columns.get_indexer(pd.Index(marked["step"]))
    rows = colors.index.get_indexer(pd.Index(marked["depth"]))
    corners = [
        [
            (across[i], up[j]),
            (across[i + 1], up[j]),
            (across[i + 1], up[j + 1]),
            (across[i], up[j + 1]),
        ]
        for i, j in zip(columns, rows, strict=True)
    ]
    if corners:
        panel.add_collection(PolyCollection(corners, hatch=hatch, **HATCH), autolim=False)


def _keys(band: pd.DataFrame, dropped: bool) -> list[Artist]:
    keys: list[Artist] = []
    if (band["zeros"] > 0).any():
        keys.append(Patch(hatch=ZERO, label="exactly zero", **HATCH))
    if (band["strange"] > 0).any():
        keys.append(Patch(hatch=STRANGE, label="not finite", **HATCH))
    if dropped:
        keys.append(Line2D([], [], label="learning rate drops", **DROPS))
    return keys
