"""The precision of a run: 64 bits for the one that asks for them, and for no other."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree
from ml_collections import ConfigDict

from resnet_jax.errors import UserError


@contextmanager
def of(config: ConfigDict) -> Iterator[None]:
    """Inside of the `with` block, arrays may be of 64 bits if `model.dtype` is float64.

    JAX makes 32 bits of 64 otherwise. Afterwards it is as it was before, so that other runs of
    the process stay as they are; what was compiled for one is never used for the other.
    """
    with jax.enable_x64(True) if is_double(config) else nullcontext():
        yield


def is_double(config: ConfigDict) -> bool:
    """Whether a run computes, and keeps all that it learns, in float64."""
    return config.model.dtype == "float64"


def number(value: float) -> Float[Array, ""]:
    """A number of the recipe: float32, or float64 in a run of that."""
    return jnp.asarray(value, float)


def widened(tree: PyTree) -> PyTree:
    """Numbers in float64, of what was drawn in float32: the run is the twin of that one."""
    return jax.tree.map(lambda x: x.astype(jnp.float64), tree)


def check(config: ConfigDict) -> None:
    """Checks that what a run needs is allowed where it is begun.

    Raises:
      UserError: this is not inside of the block that allows them.
    """
    if is_double(config) and number(0).dtype != jnp.float64:
        raise UserError(
            "model.dtype = 'float64' takes arrays of 64 bits: make the state inside of a block "
            "`with precision.of(config)`, as resnet_jax.training.run.loop does"
        )
