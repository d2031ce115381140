"""Norms of what may be very small or very large, by sums of squares that still add up.

A gradient of 1e-25 is a float32 like any other, but its square is not: it would be called zero, by
the very tool that asks whether gradients vanish. So squares are summed twice, scaled up and down.
"""

from collections.abc import Mapping, Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float

UP, DOWN = 2.0**50, 2.0**-40
"""Together they are good for norms of 1e-34 to 1e31; powers of two cost no digits."""

Squares = Float[Array, "*n 2"]
"""The sum of squares of (UP * x) and of (DOWN * x). Sums of them belong to joined arrays."""


def squares(x: Float[Array, "*shape"]) -> Float[Array, "2"]:
    """The sums of squares of an array, in float32 whatever its type."""
    scales = jnp.array([[UP], [DOWN]], jnp.float32)
    return jnp.sum(jnp.square(scales * x.astype(jnp.float32).ravel()), axis=1)


def root(sums: Squares) -> Float[Array, "*n"]:
    """Frobenius norms from sums of squares; infinity and NaN of the array stay what they are."""
    up, down = sums[..., 0], sums[..., 1]
    return jnp.where(jnp.isfinite(up), jnp.sqrt(up) / UP, jnp.sqrt(down) / DOWN)


def joint_norms(
    leaves: Mapping[str, Float[Array, "*shape"]], groups: Sequence[Sequence[str]]
) -> Float[Array, " groups"]:
    """The norm of each group of arrays, taken as one long vector.

    Args:
      leaves: arrays by name.
      groups: names of the arrays of each group.
    """
    if not groups:
        return jnp.zeros(0, jnp.float32)
    sums = {name: squares(leaves[name]) for group in groups for name in group}
    return root(jnp.stack([sum(sums[name] for name in group) for group in groups]))
