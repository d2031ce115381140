"""Initial variables of a network, without running it."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from jax.interpreters.partial_eval import dce_jaxpr

Variables = dict[str, Any]
"""{"params": ..., "batch_stats": ...}, nested by module, with arrays as leaves."""


def initialize(model: nn.Module, key: Array, image_shape: tuple[int, int, int]) -> Variables:
    """The same variables, bit by bit, as `model.init` gives, for less work.

    `model.init` runs the network to find its parameters, and under `jit` compiles each parameter's
    draw on its own. Here the trace of `model.init` is stripped of all that no variable depends on,
    which is the whole forward pass, and what is left is evaluated one operation at a time, so that
    parameters of one shape share one compiled draw.

    Args:
      model: the network.
      key: a key of `jax.random`.
      image_shape: (height, width, channels) of an image.

    Returns:
      {"params", "batch_stats"}; "batch_stats" is missing without normalisation.
    """
    image = jax.ShapeDtypeStruct((1, *image_shape), jnp.float32)
    traced, shapes = jax.make_jaxpr(model.init, return_shape=True)(key, image)
    draws, used = dce_jaxpr(traced.jaxpr, used_outputs=[True] * len(traced.jaxpr.outvars))
    given = [value for value, needed in zip((key, None), used, strict=True) if needed]
    values = jaxpr_as_fun(ClosedJaxpr(draws, traced.consts))(*given)
    return jax.tree.unflatten(jax.tree.structure(shapes), values)
