"""Experiments: a grid of configs and seeds, its runs, what they say, and how it is shown."""

from resnet_jax.lab import figures
from resnet_jax.lab.analysis import claims, ranking
from resnet_jax.lab.analysis import gradient_profiles as answers
from resnet_jax.lab.design.experiment import Experiment, load
from resnet_jax.lab.design.grid import Run, expand
from resnet_jax.lab.design.paper import Paper
from resnet_jax.lab.results.records import Records, load_records
from resnet_jax.lab.studies import gradients

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
