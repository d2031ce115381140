"""Experiments: a grid of configs and seeds, its runs, what they say, and how it is shown."""

from resnet_jax.lab import answers, claims, figures, gradients, ranking
from resnet_jax.lab.experiment import Experiment, load
from resnet_jax.lab.grid import Run, expand
from resnet_jax.lab.loading import load_records
from resnet_jax.lab.paper import Paper
from resnet_jax.lab.records import Records

__all__ = [
    "Experiment",
    "Paper",
    "Records",
    "Run",
    "answers",
    "claims",
    "expand",
    "figures",
    "gradients",
    "load",
    "load_records",
    "ranking",
]
