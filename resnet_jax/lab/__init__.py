"""Experiments: a grid of configs and seeds, its runs, what they say, and how it is shown."""

from resnet_jax.lab import claims, figures, gradients
from resnet_jax.lab.experiment import Experiment, load
from resnet_jax.lab.grid import Run, expand

__all__ = ["Experiment", "Run", "claims", "expand", "figures", "gradients", "load"]
