"""Stochastic depth: training steps skip whole branches at random (Huang et al. 2016, 1603.09382).

The branch of unit l of L is kept with probability p_l in a training step, for the whole batch, and
multiplied by p_l in evaluation (eqs. 2 and 5). A skipped branch is still computed: its value and
gradient are zero, but its running statistics are updated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jaxtyping import Float

Rule = Callable[[int, int, float], float]
"""Maps (l, L, p_L) to p_l, with units counted from 1."""


def linear(unit: int, units: int, last: float) -> float:
    """Linear decay: p_l = 1 - l / L (1 - p_L) (eq. 4)."""
    return 1 - unit / units * (1 - last)


def uniform(unit: int, units: int, last: float) -> float:
    """The same probability in all units: p_l = p_L."""
    return last


RULES: Mapping[str, Rule] = {"linear": linear, "uniform": uniform}


@dataclass(frozen=True)
class StochasticDepth:
    """The survival probabilities of a network's branches.

    Attributes:
      survival: p_L, that of the last unit.
      rule: computes those of the other units from it.
    """

    survival: float
    rule: Rule = linear

    def of_unit(self, unit: int, units: int) -> float:
        """p_l of unit l of L, counted from 1."""
        return self.rule(unit, units, self.survival)


def survive(
    branch: Float[Array, "b h w c"], probability: float, unit: nn.Module, train: bool
) -> Float[Array, "b h w c"]:
    """Keeps or zeroes a branch in training, and multiplies it by its probability in evaluation.

    Args:
      branch: s F(x).
      probability: p_l.
      unit: the module that provides the random stream "depth".
      train: whether this is a training step.
    """
    if probability == 1:
        return branch
    if not train:
        return branch * probability
    # A float32 probability, so that runs in float64 draw the same numbers.
    kept = jax.random.bernoulli(unit.make_rng("depth"), jnp.float32(probability))
    return branch * kept.astype(branch.dtype)
