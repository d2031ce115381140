"""Activations, by name."""

from collections.abc import Callable
from functools import partial

from flax import linen as nn
from jax import Array

Activation = Callable[[Array], Array]

ACTIVATIONS: dict[str, Activation] = {
    "relu": nn.relu,
    "leaky_relu": nn.leaky_relu,  # slope 0.01 below zero (Maas et al. 2013)
    "elu": nn.elu,  # alpha 1 (Clevert et al. 2016, arXiv 1511.07289)
    "gelu": partial(nn.gelu, approximate=False),  # Hendrycks and Gimpel 2016, arXiv 1606.08415
    "swish": nn.swish,  # x sigmoid(x) (Ramachandran et al. 2017, arXiv 1710.05941)
    "tanh": nn.tanh,
}
"""All are applied element by element. Initialisers have the gain that ReLU needs, whichever it is.
"""
