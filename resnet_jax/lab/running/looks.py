"""Which cells of a grid get more seeds at the next look."""

from collections.abc import Mapping

from resnet_jax.lab.analysis import claims
from resnet_jax.lab.design import grid
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.grid import CellKey
from resnet_jax.lab.design.protocols import Claim
from resnet_jax.lab.results import records
from resnet_jax.lab.results.folder import Folder, read_plan
from resnet_jax.lab.results.records import Records

Seeds = Mapping[CellKey, int]
"""The number of seeds of each cell that has more than those of the first look."""


def more_seeds(found: Records) -> Seeds:
    """The cells that get more seeds, each with the number of seeds of its next look.

    These are the cells of the claims that are open and may still be decided by the last look, once
    every run of theirs has ended.
    """
    experiment = found.experiment
    verdicts = claims.judge(experiment.claims, found.runs, experiment.label, experiment.looks)
    wanted: dict[CellKey, int] = {}
    for claim, verdict in zip(experiment.claims, verdicts, strict=True):
        look = _next_look(found, claim)
        if look and claims.worth_more_seeds(verdict, experiment.looks):
            for cell in claim.cells:
                key = grid.key({axis: cell[axis] for axis in experiment.axes})
                wanted[key] = max(look, wanted.get(key, 0))
    return {key: n for key, n in wanted.items() if n > len(records.of_cell(found.runs, dict(key)))}


def reached(folder: Folder, experiment: Experiment) -> Seeds:
    """The seeds that an earlier command had added, as its plan says.

    Raises:
      UserError: the plan is corrupt.
    """
    if not folder.plan.is_file() or (plan := read_plan(folder)).looks != experiment.looks:
        return {}
    seeds: dict[CellKey, int] = {}
    for run in plan.runs:
        key = grid.key(run.axes)
        seeds[key] = seeds.get(key, 0) + 1
    return {key: n for key, n in seeds.items() if n > experiment.looks[0]}


def seconds(found: Records, more: Seeds) -> float:
    """How long the next look takes on one worker, from the mean time of the runs of its cells."""
    total = 0.0
    for key, look in more.items():
        done = records.of_cell(found.runs, dict(key))
        total += done["seconds_total"].mean() * (look - len(done))
    return total


def _next_look(found: Records, claim: Claim) -> int:
    """The first look beyond the seeds of a claim's cells; 0 if none, or if runs are missing."""
    cells = [records.of_cell(found.runs, cell) for cell in claim.cells]
    # A cell that `configure` leaves out has no runs, and never will.
    if not all(len(cell) and len(cell) == len(records.with_values(cell)) for cell in cells):
        return 0
    smallest = min(map(len, cells), default=0)
    return next((look for look in found.experiment.looks if look > smallest), 0)
