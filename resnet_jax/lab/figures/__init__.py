"""Figures of an experiment, declared in its file and drawn from its records."""

from resnet_jax.lab.figures.curves import Curves
from resnet_jax.lab.figures.drawing import Drawing, draw_all
from resnet_jax.lab.figures.final import Final

__all__ = ["Curves", "Drawing", "Final", "draw_all"]
