"""Float64: 64-bit arrays for the runs that ask for them, and for no others."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree
from ml_collections import ConfigDict

from resnet_jax.errors import UserError


@contextmanager
def context(config: ConfigDict) -> Iterator[None]:
    """Enables 64-bit arrays within the `with` block if `model.dtype` is float64.

    Outside JAX truncates to 32 bits, so that other runs of the process are not affected; programs
    compiled in one mode are not used in the other.
    """
    with jax.enable_x64(True) if is_double(config) else nullcontext():
        yield


def is_double(config: ConfigDict) -> bool:
    """Whether a run computes in float64, with float64 parameters."""
    return config.model.dtype == "float64"


def number(value: float) -> Float[Array, ""]:
    """A hyperparameter as an array: float32, or float64 in a float64 run."""
    return jnp.asarray(value, float)


def widened(tree: PyTree) -> PyTree:
    """A tree in float64, of values drawn in float32: those of the same run in float32."""
    return jax.tree.map(lambda x: x.astype(jnp.float64), tree)


def require_x64(config: ConfigDict) -> None:
    """Requires that 64-bit arrays are enabled if the run computes in float64.

    Raises:
      UserError: they are not.
    """
    if is_double(config) and number(0).dtype != jnp.float64:
        raise UserError(
            "model.dtype = 'float64' needs 64-bit arrays: create the state within a block "
            "`with session.precision():`, or `with precision.context(config):`"
        )
