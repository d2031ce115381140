"""Norms of what may be very small or very large, by sums of squares that still add up.

A gradient of 1e-25 is a float32 like any other, but its square is not: it would be called zero, by
the very tool that asks whether gradients vanish. So squares are summed twice, scaled up and down.
"""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

UP, DOWN = 2.0**50, 2.0**-40
"""Together they are good for norms of 1e-34 to 1e31; powers of two cost no digits."""

Squares = Float[Array, "*n 2"]
"""The sum of squares of (UP * x) and of (DOWN * x). Sums of them belong to joined arrays."""


def squares(x: Float[Array, "*n size"]) -> Squares:
    """The sums of squares along the last axis, in float32 whatever the type."""
    scales = jnp.array([[UP], [DOWN]], jnp.float32)
    return jnp.sum(jnp.square(scales * x.astype(jnp.float32)[..., None, :]), axis=-1)


def root(sums: Squares) -> Float[Array, "*n"]:
    """Frobenius norms from sums of squares; infinity and NaN of the array stay what they are."""
    up, down = sums[..., 0], sums[..., 1]
    return jnp.where(jnp.isfinite(up), jnp.sqrt(up) / UP, jnp.sqrt(down) / DOWN)


def joint_norms(
    leaves: Mapping[str, Float[Array, "*shape"]], groups: Sequence[Sequence[str]]
) -> Float[Array, " groups"]:
    """The norm of each group of arrays, taken as one long vector.

    Arrays of one shape are reduced together: on a CPU that compiles in a third of the time.

    Args:
      leaves: arrays by name.
      groups: names of the arrays of each group.
    """
    alike: dict[tuple[int, ...], list[str]] = {}
    for name in dict.fromkeys(name for group in groups for name in group):
        alike.setdefault(leaves[name].shape, []).append(name)
    if not alike:
        return jnp.zeros(len(groups), jnp.float32)
    stacks = (jnp.stack([leaves[name].ravel() for name in names]) for names in alike.values())
    sums = jnp.concatenate([squares(stack) for stack in stacks])
    row = {name: row for row, name in enumerate(name for names in alike.values() for name in names)}
    rows = np.array([row[name] for group in groups for name in group])
    owners = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return root(jax.ops.segment_sum(sums[rows], owners, len(groups)))
