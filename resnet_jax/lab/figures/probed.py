"""Base of the figures of what probes recorded: the rows to draw, and profiles over seeds."""

from abc import abstractmethod
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd
from jaxtyping import Int

from resnet_jax.errors import UserError
from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.figures import captions
from resnet_jax.lab.figures.base import Drawing
from resnet_jax.lab.figures.quantities import Quantity, describe_quantity
from resnet_jax.lab.results.records import Records, of_cell, with_values

PLACE = ["stage", "unit", "layer", "depth"]
COLUMNS = ["run", "step", "site", *PLACE, "value"]

SHORTCUT = "shortcut"


@dataclass(frozen=True, kw_only=True)
class ProbeDrawing(Drawing):
    """Base of figures of one recorded quantity at some sites of the networks.

    Attributes:
      quantity: a column of the probes' records, such as "gradient_norm".
      of: the kind of site: "unit", "parameter" or "activation".
      sites: shell-style pattern of the sites' paths, or several; `*` also matches slashes. Sites on
        a shortcut are included only by a pattern that contains "shortcut".
    """

    quantity: str = "gradient_norm"
    of: str = "unit"
    sites: str | tuple[str, ...] = "*"

    def __post_init__(self) -> None:
        describe_quantity(self.quantity, self.of)  # a typo is refused before anything runs

    @property
    def measures(self) -> tuple[str, ...]:
        """Empty: no final measures, only records of probes are shown."""
        return ()

    @property
    def described(self) -> Quantity:
        """The description of the quantity."""
        return describe_quantity(self.quantity, self.of)

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns of sites."""
        return (self.sites,) if isinstance(self.sites, str) else self.sites

    def rows(self, records: Records, cell: Cell) -> pd.DataFrame:
        """Returns what the runs of a cell recorded; failed runs are excluded.

        Args:
          records: the experiment's records.
          cell: values of axes; the runs of all matching cells are returned together.

        Returns:
          One row for each run, step and site, in network order: columns `COLUMNS`. The value is NaN
          where it is undefined.
        """
        metrics = records.metrics
        if not {"of", "site", self.quantity} <= set(metrics.columns):
            return pd.DataFrame(columns=COLUMNS)
        runs = with_values(of_cell(records.runs, cell))["run"]
        of_runs = metrics[metrics["run"].isin(runs)]
        of_kind = of_runs[(of_runs["kind"] == "probe") & (of_runs["of"] == self.of)]
        sites = [site for site in of_kind["site"].unique() if self._includes(site)]
        found = of_kind[of_kind["site"].isin(sites)].rename(columns={self.quantity: "value"})
        types = {**dict.fromkeys(("step", "stage", "unit", "depth"), int), "value": float}
        return found[COLUMNS].astype(types)

    def all_rows(self, records: Records) -> pd.DataFrame:
        """Returns the rows of every cell that the figure shows."""
        cells = [self.where]
        for axis in self._varied:
            cells = [cell for held in cells for _, cell in records.experiment.along(axis, held)]
        return pd.concat([self.rows(records, cell) for cell in cells])

    def sentences(self, records: Records) -> list[str]:
        found = self.all_rows(records)
        not_shown = captions.not_shown(records, found["run"], self.where)
        return [*self.explain(records, found), not_shown]

    @abstractmethod
    def explain(self, records: Records, found: pd.DataFrame) -> list[str]:
        """The sentences of the caption about the quantity and the marks.

        Args:
          records: the experiment's records.
          found: as returned by `all_rows`.
        """

    def counts_units(self, found: pd.DataFrame) -> bool:
        """Whether the sites are units or their outputs, so that their depth counts units."""
        return self.of == "unit" or (len(found) > 0 and bool((found["layer"] == "").all()))

    def _includes(self, site: str) -> bool:
        return any(
            fnmatchcase(site, pattern) and (SHORTCUT in pattern or SHORTCUT not in site.split("/"))
            for pattern in self.patterns
        )


@dataclass(frozen=True, kw_only=True)
class StepDrawing(ProbeDrawing):
    """Base of figures of what was recorded at one step.

    Attributes:
      step: number of updates before the probe; None for the last probe of each cell.
    """

    step: int | None = 0

    def rows(self, records: Records, cell: Cell) -> pd.DataFrame:
        found = super().rows(records, cell)
        if not len(found):
            return found
        step = found["step"].max() if self.step is None else self.step
        return found[found["step"] == step]

    def when(self, found: pd.DataFrame) -> str:
        """The step in words."""
        return captions.when(self.step, found["step"])


def over_seeds(found: pd.DataFrame, geometric: bool = True) -> pd.DataFrame:
    """Computes mean and range over the runs at each step and site.

    Args:
      found: rows as returned by `ProbeDrawing.rows`, of the runs of one cell.
      geometric: whether to take the geometric mean, of positive values only; else the arithmetic
        mean of all finite values, zeros included.

    Returns:
      One row for each step and site, ordered by step and depth: `step`, `site`, `stage`, `unit`,
      `layer`, `depth`, `mean`, `low`, `high`, and the number of runs in which the value is zero
      (`zeros`) or not finite (`nonfinite`).

    Raises:
      UserError: two sites have the same depth, so that they do not form a profile.
    """
    value = found["value"].astype(float)
    counted = value.where(np.isfinite(value) & ((value > 0) | (not geometric)))
    marked = found.assign(
        counted=counted,
        scaled=np.log(counted) if geometric else counted,
        zero=value == 0,
        nonfinite=~np.isfinite(value),
    )
    band = marked.groupby(["step", "site"], sort=False, as_index=False).agg(
        **{column: (column, "first") for column in PLACE},
        mean=("scaled", "mean"),
        low=("counted", "min"),
        high=("counted", "max"),
        zeros=("zero", "sum"),
        nonfinite=("nonfinite", "sum"),
    )
    if geometric:
        band["mean"] = np.exp(band["mean"].astype(float))
    _refuse_shared_depths(band)
    return band.sort_values(["step", "depth"], kind="stable", ignore_index=True)


def stage_ends(band: pd.DataFrame) -> Int[np.ndarray, " ends"]:
    """Returns the positions in a profile of the last site of each stage but the last."""
    stage = band["stage"].to_numpy()
    return np.flatnonzero((stage[:-1] != stage[1:]) & (stage[:-1] > 0) & (stage[1:] > 0))


def _refuse_shared_depths(band: pd.DataFrame) -> None:
    shared = band[band.duplicated(["step", "depth"], keep=False)]
    if len(shared):
        first, second = shared["site"].iloc[:2]
        raise UserError(
            f"sites {first!r} and {second!r} have the same depth; select one of them by a pattern "
            'such as sites="*/conv?/kernel"'
        )
