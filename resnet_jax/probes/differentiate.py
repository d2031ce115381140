"""The pass: a value, its gradients, and what the network's sites have to say, all at once."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.traverse_util import flatten_dict
from jaxtyping import Array, Float, PyTree

from resnet_jax.probes.sites import lay_out
from resnet_jax.probes.tap import Readings, meters, tap_outputs
from resnet_jax.probes.walk import walk

Objective = Callable[..., tuple[Float[Array, ""], Any]]
"""From (params, ...) to the value to differentiate and whatever else is wanted."""


def value_and_grad(
    objective: Objective, sites: str | Sequence[str] = "*"
) -> Callable[..., tuple[tuple[Float[Array, ""], Any], PyTree, Readings]]:
    """Like `jax.value_and_grad(objective, has_aux=True)`, and reads the sites in the same pass.

    One forward and one backward pass serve both, so that a training step that probes can update
    by these gradients, which are the ones that it would have without the probe.

    Args:
      objective: a function of (params, ...) that applies a Linen network, in train mode, and
        returns a scalar (a mean over the batch) and more. The network is left as it is.
      sites: patterns of the sites to read, such as "stage*/unit??" or ("*/conv?", "*/kernel").

    Returns:
      A function of the same arguments that returns ((value, more), gradients, readings).

    Raises:
      UserError: when called, if no site matches a pattern.
    """

    def differentiated(
        params: PyTree, *args: Any, **kwargs: Any
    ) -> tuple[tuple[Float[Array, ""], Any], PyTree, Readings]:
        visits = walk(lambda params: objective(params, *args, **kwargs), params)
        layout = lay_out(visits, flatten_dict(params), sites)

        def tapped(params: PyTree, meters: dict[str, Array]) -> tuple[Float[Array, ""], Any]:
            with nn.intercept_methods(tap_outputs(meters)):
                return objective(params, *args, **kwargs)

        differentiate = jax.value_and_grad(tapped, argnums=(0, 1), has_aux=True)
        value, (gradients, read) = differentiate(params, meters(layout))
        rows = [read[site.path] for site in layout.activations]
        stacked = jnp.stack(rows) if rows else jnp.zeros((0, 8), jnp.float32)
        return value, gradients, Readings(stacked, layout)

    return differentiated
