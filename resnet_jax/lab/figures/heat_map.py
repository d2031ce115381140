"""Heat maps: a quantity by site and step, the evolution of a profile during training."""

from dataclasses import dataclass
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
from resnet_jax.lab.figures import captions, interactive, layout, scales, style
from resnet_jax.lab.figures.probed import ProbeDrawing, over_seeds, stage_ends
from resnet_jax.lab.figures.style import WIDE, Format
from resnet_jax.lab.formatting import capitalized, count
from resnet_jax.lab.results.records import Records, of_cell

Ends = Float[np.ndarray, " cells_plus_1"]

COLORS = "viridis"  # perceptually uniform: larger values are lighter, also in grayscale

HATCHES = {"zeros": "/////", "nonfinite": "xxxxx"}
MEANINGS = {"zeros": "exactly zero", "nonfinite": "not finite"}
HATCH: dict[str, Any] = {"facecolor": "none", "edgecolor": "#777777", "linewidth": 0.0}
DROPS: dict[str, Any] = {"color": style.INK, "lw": 1.2, "ls": (0, (4, 2))}
UNDER: dict[str, Any] = {"color": "white", "lw": 2.6}  # makes the dashes visible on every color
STAGES: dict[str, Any] = {"color": "white", "lw": 0.9}

DROP_KEY = "learning rate drops"
DROP = 0.6  # a learning rate drops if it falls below this fraction and then stays


@dataclass(frozen=True, kw_only=True)
class HeatMap(ProbeDrawing):
    """A quantity at each site and probe, as color on a logarithmic scale.

    Attributes:
      panels: the axis whose values are panels side by side; empty for one panel.
      steps: "linear", or "log" for log(1 + step), which suits probes that are dense at first.
    """

    panels: str = ""
    steps: Literal["linear", "log"] = "linear"
    name: str = "heat_map"

    varies = ("panels",)

    def explain(self, records: Records, found: pd.DataFrame) -> list[str]:
        quantity = self.described
        counts = captions.seeds_by_cell(records, found["run"])
        words = [
            f"Color: {quantity.words} ({quantity.meaning}), "
            f"{captions.mean_of(counts, 'geometric mean')}. "
            "Each column extends halfway to the neighboring probes.",
            "Horizontal lines: stage boundaries.",
            *self._explain_marks(records),
        ]
        runs = of_cell(records.runs, self.where)
        diverged = int((runs["status"] == "diverged").sum())
        if diverged:
            words.append(f"Diverged runs ({diverged}) are included up to their last record.")
        return words

    def draw(self, records: Records, form: Format = WIDE) -> Figure:
        along = records.experiment.along(self.panels, self.where)
        bands = [self.band(records, cell) for _, cell in along]
        figure, panels = layout.grid_of_panels(len(along), form, sharex=True)
        figure.set_dpi(style.DOTS_PER_INCH)  # the colors are pixels in the SVG, too
        norm = _norm(pd.concat(bands)["mean"])
        for panel, (value, cell), band in zip(panels, along, bands, strict=True):
            panel.set_title(layout.panel_title(records, self.panels, value), loc="left")
            self._draw_panel(panel, band, norm)
            for step in drops(records, cell)["step"]:
                for look in (UNDER, DROPS):
                    interactive.mark(panel.axvline(step, **look), DROP_KEY)
        for panel, band in zip(panels, bands, strict=True):  # once the shared limits are final
            self._mark_cells(
                panel, band, captions.seeds_by_cell(records, self.all_rows(records)["run"])
            )
        unit = "Unit" if self.counts_units(self.all_rows(records)) else "Layer"
        layout.label_beside(panels, f"{unit}, from the input")
        layout.label_below(panels, "Training step")
        scale, label = ScalarMappable(norm, COLORS), self.described.axis_label
        below: Any = {"orientation": "horizontal", "location": "top", "aspect": 30}
        bar = figure.colorbar(
            scale, ax=panels, label=label, pad=0.02, **(below if form.stacked else {})
        )
        scales.number_log_axis(bar.ax)
        dropped = any(len(drops(records, cell)) for _, cell in along)
        layout.legend_below(figure, _keys(pd.concat(bands), dropped))
        return figure

    def band(self, records: Records, cell: Cell) -> pd.DataFrame:
        """Computes the profiles of a cell at every step (see `over_seeds`)."""
        return over_seeds(self.rows(records, cell))

    def _draw_panel(self, panel: Axes, band: pd.DataFrame, norm: LogNorm) -> None:
        panel.grid(False)
        if not len(band):
            return
        if self.steps == "log":
            panel.set_xscale("function", functions=(np.log1p, np.expm1))
            panel.set_xticks(_powers_of_ten(band["step"].max()))
        colors = _colors(band)
        across, up = self._ends(colors)
        panel.pcolormesh(across, up, colors.to_numpy(), norm=norm, cmap=COLORS, rasterized=True)
        for column in HATCHES:
            _hatch(panel, band[band[column] > 0], across, up, colors, column)
        for boundary in _boundaries(band):
            panel.axhline(boundary, **STAGES)

    def _ends(self, colors: pd.DataFrame) -> tuple[Ends, Ends]:
        """The ends of the cells along steps and along depth."""
        scaled, unscaled = (np.log1p, np.expm1) if self.steps == "log" else (_same, _same)
        across = unscaled(ends(scaled(colors.columns.to_numpy(dtype=float))))
        return across, ends(colors.index.to_numpy(dtype=float))

    def _mark_cells(self, panel: Axes, band: pd.DataFrame, seeds: list[int]) -> None:
        """Attaches what the cells are to a panel, for pages; their ends as fractions of it."""
        if not len(band):
            return
        colors = _colors(band)
        across, up = self._ends(colors)
        fractions = panel.transData + panel.transAxes.inverted()
        cells = {
            "x": fractions.transform(np.column_stack([across, np.full(len(across), up[0])]))[:, 0],
            "y": fractions.transform(np.column_stack([np.full(len(up), across[0]), up]))[:, 1],
            "steps": colors.columns,
            "sites": band.drop_duplicates("depth").sort_values("depth")["site"],
            "values": colors.to_numpy(),
            "label": " ".join(self.described.axis_label.split()),
            "note": captions.mean_of(seeds, "geometric mean"),
        }
        interactive.mark(panel, cells=cells)

    def _explain_marks(self, records: Records) -> list[str]:
        along = records.experiment.along(self.panels, self.where)
        bands = pd.concat([self.band(records, cell) for _, cell in along])
        words = []
        for column, hatch in (("zeros", "striped"), ("nonfinite", "cross-hatched")):
            n = int((bands[column] > 0).sum())
            if n:
                cells = count(n, "cell")
                words.append(
                    f"{capitalized(hatch)}: {MEANINGS[column]} in at least one seed ({cells})."
                )
        if (bands["mean"].notna() & (bands["zeros"] + bands["nonfinite"] > 0)).any():
            words.append("The color of such a cell is the mean of its other seeds.")
        every = pd.concat([drops(records, cell) for _, cell in along]).drop_duplicates()
        if len(every):
            fell = [f"to {each.rate:.3g} at step {each.step}" for each in every.itertuples()]
            words.append(f"Dashed lines: the learning rate drops {' and '.join(fell)}.")
        return words


def drops(records: Records, cell: Cell) -> pd.DataFrame:
    """Finds the drops of a learning rate that decreases in steps.

    A drop lies between two training records and is placed at the first of them, which is exact if
    a record is written at the drop. A smooth decrease, such as a cosine, has no drops.

    Args:
      records: the experiment's records.
      cell: one value for each axis.

    Returns:
      One row for each drop: `step`, and the `rate` from that step on.
    """
    none = pd.DataFrame({"step": pd.Series(dtype=int), "rate": pd.Series(dtype=float)})
    if "learning_rate" not in records.metrics:
        return none
    trained = records.metrics[records.metrics["kind"] == "train"]
    of_runs = trained[trained["run"].isin(of_cell(records.runs, cell)["run"])]
    if not len(of_runs):
        return none
    longest = of_runs["run"].value_counts(sort=True).index[0]
    one = of_runs[of_runs["run"] == longest].sort_values("step")
    step, rate = one["step"].to_numpy(dtype=int), one["learning_rate"].to_numpy(dtype=float)
    fell = (rate[1:-1] < DROP * rate[:-2]) & np.isclose(rate[2:], rate[1:-1], rtol=1e-4)
    return pd.DataFrame({"step": step[:-2][fell], "rate": rate[1:-1][fell]})


def ends(centers: Float[np.ndarray, " cells"]) -> Ends:
    """Returns the ends of cells that extend halfway to their neighbors; a single one is 1 wide."""
    if len(centers) == 1:
        return np.array([centers[0] - 0.5, centers[0] + 0.5])
    middles = (centers[:-1] + centers[1:]) / 2
    first, last = 2 * centers[0] - middles[0], 2 * centers[-1] - middles[-1]
    return np.concatenate([[first], middles, [last]])


def _colors(band: pd.DataFrame) -> pd.DataFrame:
    """The means by depth (rows) and step (columns)."""
    return band.pivot(index="depth", columns="step", values="mean")


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
    panel: Axes, marked: pd.DataFrame, across: Ends, up: Ends, colors: pd.DataFrame, kind: str
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
        hatched = PolyCollection(corners, hatch=HATCHES[kind], **HATCH)
        interactive.mark(hatched, MEANINGS[kind])
        panel.add_collection(hatched, autolim=False)


def _keys(band: pd.DataFrame, dropped: bool) -> list[Artist]:
    keys: list[Artist] = [
        Patch(hatch=hatch, label=MEANINGS[column], **HATCH)
        for column, hatch in HATCHES.items()
        if (band[column] > 0).any()
    ]
    if dropped:
        keys.append(Line2D([], [], label=DROP_KEY, **DROPS))
    return keys
