"""What is measured along the depth of a network, from the pass that a training step makes anyway.

A site is the output of any named module, a parameter, or a unit; each has its path for a name:

    stage1/unit03               the boundary of a unit
    stage1/unit03/conv2         a convolution's output, before its norm
    stage1/unit03/norm2         a layer's response, as in He et al. 2015, Fig. 7
    stage1/unit03/conv2/kernel  a parameter

`measure` answers for one batch; `value_and_grad` and `gather` do so inside of a training step.
"""

from resnet_jax.probes.differentiate import value_and_grad
from resnet_jax.probes.gather import gather
from resnet_jax.probes.mark import Mark
from resnet_jax.probes.measure import measure
from resnet_jax.probes.measurement import QUANTITIES, Measurement, table
from resnet_jax.probes.sites import Layout, Site
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
