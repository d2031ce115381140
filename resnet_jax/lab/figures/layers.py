"""What figures draw in layers: a band, single seeds before it, and their mean before these."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes

from resnet_jax.lab.figures import interactive, scales, style
from resnet_jax.lab.figures.style import Look
from resnet_jax.lab.formatting import count
from resnet_jax.lab.results.records import Records

Places = Float[np.ndarray, " places"]

COLUMNS = ["run", "seed", "status", "at", "place", "value"]  # of `Estimates.seeds`

SPREAD, WIDEST = 3.0, 10.0  # in points: distance of the seeds of one mean, and of the outermost


class Mean(NamedTuple):
    """A mean over seeds, with its 95% interval; NaN where there is none."""

    n: int
    mean: float
    low: float
    high: float

    @property
    def note(self) -> str:
        """What it is: `mean of 3 seeds, 95% interval 1.2 to 3.4`."""
        if self.n == 1:
            return "1 seed"
        known = math.isfinite(self.high - self.low)
        interval = f", 95% interval {self.low:.3g} to {self.high:.3g}" if known else ""
        return f"mean of {count(self.n, 'seed')}{interval}"


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """Means with intervals and seeds at some places of an axis.

    Attributes:
      at: the places.
      names: their names.
      means: the mean at each.
      seeds: one row for each run: `run`, `seed`, `status`, `at`, `place` (its name), `value`.
      look: color, dashes and marker.
      label: of its key in the legend.
      name: of the line, where the label says too little by itself.
      axis: the axis of the values; the places are on the other.
      points: by how much the marks are drawn beside their places, in points (1/72 inch).
    """

    at: Places
    names: Sequence[str]
    means: Sequence[Mean]
    seeds: pd.DataFrame
    look: Look
    label: str
    name: str = ""
    axis: scales.Axis = "y"
    points: float = 0.0

    def of(self, part: Literal["mean", "low", "high"]) -> Places:
        """The means, or one end of their intervals."""
        return np.array([getattr(each, part) for each in self.means], float)

    @property
    def values(self) -> Places:
        """Means and seeds."""
        return np.concatenate([self.of("mean"), self.seeds["value"].to_numpy(dtype=float)])

    @property
    def ends(self) -> Places:
        """Ends of the intervals."""
        return np.concatenate([self.of("low"), self.of("high")])


def draw_estimates(panel: Axes, given: Estimates, *, joined: bool) -> None:
    """Draws each seed as a faint mark, and before it the means and their intervals.

    Args:
      panel: a panel of the figure.
      given: what to draw.
      joined: whether a line joins the means.
    """
    look, upright = given.look, given.axis == "y"
    other: scales.Axis = "x" if upright else "y"
    place = scales.beside(panel, given.points, other)
    mean, low, high = given.of("mean"), given.of("low"), given.of("high")
    reach, known = np.stack([mean - low, high - mean]), np.isfinite(mean)
    x, y = (given.at, mean) if upright else (mean, given.at)
    bars: Any = {"yerr" if upright else "xerr": reach}
    bar = panel.errorbar(x=x, y=y, **bars, color=look.color, transform=place, **style.INTERVAL)
    for part in (*bar.lines[1], *bar.lines[2]):
        interactive.mark(part, given.label)
    dashes = look.dashes if joined else "none"
    (means,) = panel.plot(
        x,
        y,
        ls=dashes,
        c=look.color,
        marker=look.marker,
        transform=place,
        label=given.label,
        **style.MEAN,
    )
    interactive.mark(
        means,
        given.label,
        x=x[known],
        y=y[known],
        at=np.array(given.names)[known],
        note=[each.note for each, kept in zip(given.means, known, strict=True) if kept],
        value=given.axis,
        name=given.name,
        **{f"d{other}": given.points},
    )
    _draw_seeds(panel, given, other)


def _draw_seeds(panel: Axes, given: Estimates, other: scales.Axis) -> None:
    found = given.seeds[np.isfinite(given.seeds["value"].astype(float))]
    if not len(found) or found.groupby("at").size().max() == 1:  # the mean is the seed
        return
    seeds = sorted(int(seed) for seed in found["seed"].unique())
    step = min(SPREAD, WIDEST / len(seeds))
    for (given_seed, status), rows in found.groupby(["seed", "status"]):
        seed = int(str(given_seed))
        points = given.points + step * (seeds.index(seed) - (len(seeds) - 1) / 2)
        diverged = status == "diverged"
        at, value = rows["at"].to_numpy(float), rows["value"].to_numpy(float)
        x, y = (at, value) if given.axis == "y" else (value, at)
        (drawn,) = panel.plot(
            x,
            y,
            c=given.look.color,
            marker="x" if diverged else given.look.marker,
            transform=scales.beside(panel, points, other),
            label="_",
            **(style.DIVERGED if diverged else style.SEED),
        )
        interactive.mark(
            drawn,
            given.label,
            x=x,
            y=y,
            at=rows["place"],
            seed=seed,
            run=rows["run"],
            value=given.axis,
            name=given.name,
            **{f"d{other}": points},
            **({"note": "diverged"} if diverged else {}),
        )


def limit(panel: Axes, drawn: Sequence[Estimates], bounds: Sequence[float] = ()) -> None:
    """Limits the scale of the values to what is drawn (see `scales.limit`)."""
    if drawn:
        values, ends = (
            np.concatenate([getattr(each, of) for each in drawn]) for of in ("values", "ends")
        )
        scales.limit(panel, values, ends, drawn[0].axis, bounds)


def draw_arrows(panel: Axes, given: Estimates) -> None:
    """Draws an arrow where an interval leaves the panel, whose limits are final."""
    scales.arrows(
        panel,
        given.at,
        given.of("low"),
        given.of("high"),
        given.look.color,
        [given.label],
        axis=given.axis,
        points=given.points,
    )


def draw_lines(
    panel: Axes,
    band: pd.DataFrame,
    seeds: Mapping[str, pd.Series],
    look: Look,
    records: Records,
    *keys: str,
    name: str = "",
    width: float = 1.8,
) -> None:
    """Draws the mean over seeds as a line, their range as a band, and each seed as a thin line.

    Args:
      panel: a panel of the figure.
      band: columns `mean`, `low` and `high`, indexed by the places of the points.
      seeds: the values of each run, indexed by place.
      look: of the line.
      records: the experiment's records.
      keys: labels of the legend's keys that it belongs to; the first is that of the line.
      name: of the line, where the keys say too little by themselves.
      width: of the line in points.
    """
    about = {"name": name} if name else {}
    at, mean = band.index.to_numpy(dtype=float), band["mean"].to_numpy(dtype=float)
    (line,) = panel.plot(at, mean, c=look.color, ls=look.dashes, lw=width, label=keys[0])
    known = np.isfinite(mean)
    points = {"x": at[known], "y": mean[known]}
    if len(seeds) <= 1:
        interactive.mark(line, *keys, **about, **points, **of_runs(records, *seeds))
        return
    note = f"mean of {count(len(seeds), 'seed')}"
    interactive.mark(line, *keys, **about, **points, note=note)
    area = panel.fill_between(at, band["low"], band["high"], fc=look.color, **style.BAND)
    interactive.mark(area, *keys)
    for run, values in seeds.items():
        finite = values[np.isfinite(values)]
        (thin,) = panel.plot(
            values.index.to_numpy(dtype=float), values, c=look.color, label="_", **style.SEED_LINE
        )
        found = of_runs(records, run)
        interactive.mark(thin, *keys, **about, x=finite.index, y=finite, **found)


def of_runs(records: Records, *runs: str) -> interactive.Data:
    """The names and the seeds of runs, as data of a mark; of one run not as lists."""
    seeds = records.runs.set_index("run")["seed"]
    found: dict[str, list[Any]] = {
        "run": list(runs),
        "seed": [int(seeds[run]) for run in runs],
    }
    return {name: each[0] if len(each) == 1 else each for name, each in found.items() if each}
