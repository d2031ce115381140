"""Stochastic depth: in training, whole branches are left out at random.

Huang et al. 2016 (arXiv 1603.09382): the branch of unit l of L is taken with probability p_l in
each step, for all of the batch alike, and in evaluation always, times p_l (eqs. 2 and 5). What is
left out here is the branch's value and its gradient; it is computed all the same, and its running
statistics go on.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float


def linear(unit: int, units: int, last: float) -> float:
    """p_l = 1 - l / L (1 - p_L), "linear decay" (eq. 4)."""
    return 1 - unit / units * (1 - last)


def uniform(unit: int, units: int, last: float) -> float:
    """p_l = p_L."""
    return last


SURVIVALS: dict[str, Callable[[int, int, float], float]] = {"linear": linear, "uniform": uniform}
"""From (l, L, p_L) to p_l; units are counted from 1."""


def survive(
    branch: Float[Array, "b h w c"], probability: float, unit: nn.Module, train: bool
) -> Float[Array, "b h w c"]:
    """The branch or zero, by the random stream "depth" of the unit; or its expectation.

    Args:
      branch: s F(x).
      probability: p_l.
      unit: the module that draws.
      train: whether to draw.
    """
    if probability == 1:
        return branch
    if not train:
        return branch * probability
    # As float32 it draws the same in a run of float64, whose Python floats would be of 64 bits.
    taken = jax.random.bernoulli(unit.make_rng("depth"), jnp.float32(probability))
    return branch * taken.astype(branch.dtype)
