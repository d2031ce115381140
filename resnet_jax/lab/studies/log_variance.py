"""How much the gradient of a net without norm differs from one draw to the next (Hanin 2018)."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from resnet_jax.lab.design.study import Findings
from resnet_jax.lab.studies import theory
from resnet_jax.lab.studies.settings import study
from resnet_jax.lab.studies.stack import Branch, Stack, backward, forward

AT_ONCE = 250  # draws; their weights are in memory together


def measure(
    *, seed: int, width: int = 64, depth: int = 20, draws: int = 1000, shortcut: float = 0.0
) -> Findings:
    """Measures the variance of ln |g|^2 over draws of a ReLU net without norm, for one input each.

    g is the gradient before the first ReLU, for one of norm 1 in a random direction at the output:
    each of `depth` layers of `width` units has its part in it.

    Args:
      seed: of the draws.
      width: units of each layer.
      depth: how many layers.
      draws: of weights, input and gradient at the output.
      shortcut: 0 for a plain net; 1 for a residual one, for which the theory is not meant.

    Returns:
      Final measures: `measured`, the variance; `error`, its standard error; for a plain net also
      `theory`, 5 depth / width, `exact`, that at finite width, and `deviation` of the measured from
      the exact, in percent. Records: ln |g|^2 of each draw.
    """
    stack = Stack(depth, Branch(normalize=False), shortcut)
    logs = log_norms(stack, width, draws, seed)
    final = {"measured": float(np.var(logs, ddof=1)), "error": variance_error(logs)}
    if shortcut == 0:
        exact = theory.exact_log_variance([width] * depth)
        final["theory"] = theory.log_variance([width] * depth)
        final["exact"] = exact
        final["deviation"] = 100 * (final["measured"] / exact - 1)
    records = [
        {"kind": "draw", "step": 0, "draw": draw, "log_squared_gradient": float(value)}
        for draw, value in enumerate(logs)
    ]
    return Findings(final, records)


STUDY = study(measure)


def log_norms(stack: Stack, width: int, draws: int, seed: int) -> Float[np.ndarray, " draws"]:
    """ln |g|^2 of each draw."""
    keys = jax.random.split(jax.random.key(seed), draws)
    some = [_log_norms(stack, width, keys[i : i + AT_ONCE]) for i in range(0, draws, AT_ONCE)]
    return np.asarray(jnp.concatenate(some), float)


def variance_error(values: Float[np.ndarray, " n"]) -> float:
    """The standard error of a sample's variance: sqrt((m4 - var^2) / n), with m4 the 4th moment."""
    fourth = float(np.mean((values - values.mean()) ** 4))
    return math.sqrt((fourth - float(np.var(values)) ** 2) / len(values))


def _log_norms(stack: Stack, width: int, keys: Array) -> Float[Array, " draws"]:
    def one(key: Array) -> Float[Array, ""]:
        weights, input_key, output_key = jax.random.split(key, 3)
        passed = forward(stack, jax.random.normal(input_key, (1, width)), weights)
        out = jax.random.normal(output_key, (1, width))
        out = out / jnp.linalg.norm(out)  # whose own spread is not the network's
        return jnp.log(jnp.sum(backward(stack, passed, out)[0] ** 2))

    return jax.vmap(one)(keys)
