"""Variance of the log squared gradient over initializations without normalization (Hanin 2018)."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import scipy.stats
from jax import Array
from jaxtyping import Float

from resnet_jax.lab.design.study import Findings
from resnet_jax.lab.studies import study, theory
from resnet_jax.lab.studies.stack import Branch, Stack, backward, forward

CHUNK = 250  # initializations computed, and held in memory, at once


def measure(
    *, seed: int, width: int = 64, depth: int = 20, draws: int = 1000, shortcut: float = 0.0
) -> Findings:
    """Measures the variance of ln |g|^2 over initializations of a ReLU network without norms.

    g is the gradient at the input, before the first ReLU, for a single example and a gradient of
    norm 1 in a random direction at the output. All `depth` layers contribute to it.

    Args:
      seed: of all draws.
      width: units of each layer.
      depth: number of layers.
      draws: number of independent draws of weights, input and gradient at the output.
      shortcut: 0 for a plain network; 1 for a residual one, which the theory does not cover.

    Returns:
      Final measures: `measured`, the variance; `error`, its standard error; for a plain network
      also `theory`, 5 depth / width, `exact`, the value at finite width, and `deviation` of
      `measured` from `exact` in percent. Records: ln |g|^2 of each draw.
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
    chunks = [_log_norms(stack, width, keys[at : at + CHUNK]) for at in range(0, draws, CHUNK)]
    return np.asarray(jnp.concatenate(chunks), float)


def variance_error(values: Float[np.ndarray, " n"]) -> float:
    """The standard error of a sample variance, sqrt((m4 - m2^2) / n), m_k the central moments."""
    second, fourth = scipy.stats.moment(values, (2, 4))
    return math.sqrt((float(fourth) - float(second) ** 2) / len(values))


def _log_norms(stack: Stack, width: int, keys: Array) -> Float[Array, " draws"]:
    def one(key: Array) -> Float[Array, ""]:
        weights, input_key, output_key = jax.random.split(key, 3)
        passed = forward(stack, jax.random.normal(input_key, (1, width)), weights)
        out = jax.random.normal(output_key, (1, width))
        out = out / jnp.linalg.norm(out)  # the spread of its norm is not the network's
        return jnp.log(jnp.sum(backward(stack, passed, out)[0] ** 2))

    return jax.vmap(one)(keys)
