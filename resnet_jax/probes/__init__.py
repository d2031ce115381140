"""Probes: gradients, weights and activations measured along the depth of a network.

A site is the output of a named module, a parameter, or a residual unit. Its path names it:

    stage1/unit03               a unit: its output, and the kernels of its branch
    stage1/unit03/conv2         the output of a convolution, before normalization
    stage1/unit03/norm2         the output of a norm: a layer's response in He et al. 2015, Fig. 7
    stage1/unit03/conv2/kernel  a parameter

`measure` probes a network on one batch. `value_and_grad` and `gather` do the same within a training
step, in the forward and backward pass that the step makes anyway.
"""

from resnet_jax.probes.measure import gather, measure, value_and_grad
from resnet_jax.probes.measurement import QUANTITIES, Measurement, table
from resnet_jax.probes.sites import Layout, Mark, Site
from resnet_jax.probes.tap import Readings

__all__ = [
    "QUANTITIES",
    "Layout",
    "Mark",
    "Measurement",
    "Readings",
    "Site",
    "gather",
    "measure",
    "table",
    "value_and_grad",
]
