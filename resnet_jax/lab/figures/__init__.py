"""Figures: declared in an experiment, drawn from its records."""

from resnet_jax.lab.figures.base import draw_all
from resnet_jax.lab.figures.curves import Curves
from resnet_jax.lab.figures.final import Final
from resnet_jax.lab.figures.heat_map import HeatMap
from resnet_jax.lab.figures.profile import Profile
from resnet_jax.lab.figures.ranking import Ranking
from resnet_jax.lab.figures.ratio import Ratio
from resnet_jax.lab.figures.responses import Responses

__all__ = [
    "Curves",
    "Final",
    "HeatMap",
    "Profile",
    "Ranking",
    "Ratio",
    "Responses",
    "draw_all",
]
