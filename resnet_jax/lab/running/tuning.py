"""The final runs of an experiment, with the nuisance settings that its tuning runs have chosen."""

from resnet_jax.lab.design import grid
from resnet_jax.lab.design.experiment import Experiment
from resnet_jax.lab.design.grid import Run
from resnet_jax.lab.design.tuning import tuning_runs, with_settings
from resnet_jax.lab.results import tuning
from resnet_jax.lab.results.folder import Folder
from resnet_jax.lab.results.tuning import TunedCell
from resnet_jax.lab.running.looks import Seeds


def final_runs(experiment: Experiment, folder: Folder, seeds: Seeds | None = None) -> list[Run]:
    """Makes the final runs, as the tuning runs that have ended determine them.

    Args:
      experiment: the experiment.
      folder: its folder of results, which need not exist.
      seeds: numbers of seeds of cells that have more than those of the first look.

    Returns:
      The runs of the grid; those of cells that are not tuned yet are not `is_tuned`.
    """
    chosen = tuning.choose(tuned_cells(experiment, folder))
    return with_settings(experiment, grid.expand(experiment, seeds), chosen)


def tuned_cells(experiment: Experiment, folder: Folder) -> list[TunedCell]:
    """What the tuning runs in a folder of results found; empty if nothing is tuned."""
    return tuning.read(folder.runs, tuning_runs(experiment), experiment.diverged)
