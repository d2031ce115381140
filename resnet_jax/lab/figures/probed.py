"""What probes recorded, chosen for a figure: rows by site, and their mean and range over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from resnet_jax.errors import UserError
from resnet_jax.lab.design.protocols import Cell
from resnet_jax.lab.figures.quantities import Quantity, quantity
from resnet_jax.lab.formatting import count
from resnet_jax.lab.results.records import Records, of_cell, with_values

PLACE = ["stage", "unit", "layer", "depth"]
COLUMNS = ["run", "step", "site", *PLACE, "value"]

SHORTCUT = "shortcut"


@dataclass(frozen=True)
class Chosen:
    """One quantity of some sites of a network.

    Attributes:
      name: a column of the records, such as "gradient_norm".
      of: the kind of site: "unit", "parameter" or "activation".
      sites: one pattern of paths or several, as of a shell; * matches slashes too. What is on a
        shortcut is left out unless a pattern speaks of it.
    """

    name: str
    of: str
    sites: str | Sequence[str]

    @property
    def quantity(self) -> Quantity:
        """How to speak of the quantity.

        Raises:
          UserError: the kind of site does not have it.
        """
        return quantity(self.name, self.of)

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns, also if it is one."""
        return (self.sites,) if isinstance(self.sites, str) else tuple(self.sites)

    def __contains__(self, site: str) -> bool:
        return any(
            fnmatchcase(site, pattern) and (SHORTCUT in pattern or SHORTCUT not in site.split("/"))
            for pattern in self.patterns
        )


def probed(records: Records, chosen: Chosen, cell: Cell) -> pd.DataFrame:
    """What the runs of a cell recorded, those that failed left out.

    Args:
      records: what the runs left behind.
      chosen: the quantity and the sites.
      cell: a value for each axis; what it leaves open is mixed.

    Returns:
      One row for each run, step and site, in the order recorded, which is network order: columns
      `COLUMNS`. The value is NaN where it is undefined.
    """
    metrics = records.metrics
    if not {"of", "site", chosen.name} <= set(metrics.columns):
        return pd.DataFrame(columns=COLUMNS)
    runs = with_values(of_cell(records.runs, cell))["run"]
    of_runs = metrics[metrics["run"].isin(runs)]
    of_kind = of_runs[(of_runs["kind"] == "probe") & (of_runs["of"] == chosen.of)]
    sites = [site for site in of_kind["site"].unique() if site in chosen]
    found = of_kind[of_kind["site"].isin(sites)].rename(columns={chosen.name: "value"})[COLUMNS]
    return found.astype({**dict.fromkeys(("step", "stage", "unit", "depth"), int), "value": float})


def at_step(found: pd.DataFrame, step: int | None) -> pd.DataFrame:
    """The rows of one step; of the last one of all if it is None."""
    if not len(found):
        return found
    return found[found["step"] == (found["step"].max() if step is None else step)]


def over_seeds(found: pd.DataFrame, geometric: bool = True) -> pd.DataFrame:
    """Mean and range of the runs at each step and site.

    Args:
      found: rows as `probed` gives them, of the runs of one cell.
      geometric: whether the mean is geometric, and of positive values alone; else it is that of
        all finite values, zeros among them.

    Returns:
      One row for each step and site, by step and by depth: `step`, `site`, the place, `mean`,
      `low`, `high`, and in how many runs the value is zero (`zeros`) or not finite (`strange`).

    Raises:
      UserError: two of the sites have one depth, so that they make no profile.
    """
    value = found["value"].astype(float)
    counted = value.where(np.isfinite(value) & ((value > 0) | (not geometric)))
    marked = found.assign(
        counted=counted,
        scaled=np.log(counted) if geometric else counted,
        zero=value == 0,
        strange=~np.isfinite(value),
    )
    band = marked.groupby(["step", "site"], sort=False, as_index=False).agg(
        **{column: (column, "first") for column in PLACE},
        mean=("scaled", "mean"),
        low=("counted", "min"),
        high=("counted", "max"),
        zeros=("zero", "sum"),
        strange=("strange", "sum"),
    )
    if geometric:
        band["mean"] = np.exp(band["mean"].astype(float))
    _refuse_shared_depths(band)
    return band.sort_values(["step", "depth"], kind="stable", ignore_index=True)


def stage_ends(band: pd.DataFrame) -> np.ndarray:
    """The positions in a profile of the last site of each stage but the last one."""
    stage = band["stage"].to_numpy()
    return np.flatnonzero((stage[:-1] != stage[1:]) & (stage[:-1] > 0) & (stage[1:] > 0))


def is_of_units(found: pd.DataFrame, chosen: Chosen) -> bool:
    """Whether the sites are units or their boundaries, so that their depth counts units."""
    return chosen.of == "unit" or (len(found) > 0 and bool((found["layer"] == "").all()))


def in_cells(
    records: Records, chosen: Chosen, step: int | None, where: Cell, *axes: str
) -> pd.DataFrame:
    """The rows of a step in each cell that axes make with held values.

    Args:
      records: what the runs left behind.
      chosen: the quantity and the sites.
      step: see `at_step`; the last step of a cell is its own.
      where: the held values.
      *axes: names of axes; an empty one adds nothing.
    """
    cells = [where]
    for axis in axes:
        cells = [cell for held in cells for _, cell in records.experiment.along(axis, held)]
    return pd.concat([at_step(probed(records, chosen, cell), step) for cell in cells])


def when(step: int | None, found: pd.DataFrame) -> str:
    """A step in words; of the last one, as it was in the rows, if it is None."""
    if step is None:
        steps = found["step"].unique()
        return (
            f"at the last probe, {when(int(steps[0]), found)}"
            if len(steps) == 1
            else "at the last probe"
        )
    return f"after {count(step, 'step')}" if step else "before the first step"


def left_out(records: Records, found: pd.DataFrame, where: Cell) -> str:
    """How many runs have no part in a figure, in a sentence; empty if all have.

    Args:
      records: what the runs left behind.
      found: the rows that the figure shows.
      where: the cells that it asks for.
    """
    asked = of_cell(records.runs, where)["run"]
    lacking = len(asked) - int(asked.isin(found["run"]).sum())
    if not lacking:
        return ""
    verb = "has" if lacking == 1 else "have"
    return f"{lacking} of {count(len(asked), 'run')} {verb} no such record and no part in this."


def _refuse_shared_depths(band: pd.DataFrame) -> None:
    twins = band[band.duplicated(["step", "depth"], keep=False)]
    if len(twins):
        first, second = twins["site"].iloc[:2]
        raise UserError(
            f"{first!r} and {second!r} are at the same depth of a network: choose sites by a "
            'pattern that tells them apart, such as "*/conv?/kernel"'
        )
