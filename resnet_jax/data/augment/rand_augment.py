"""RandAugment: some operations on each image, drawn from fourteen (Cubuk et al. 2020)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, UInt8

from resnet_jax.data.augment.batch_slice import Rows, key_for
from resnet_jax.data.augment.operations import OPERATIONS

STEPS = 30
"""Magnitudes are from 0 to this, at which an operation does most."""


def rand_augment(
    key: Key[Array, ""],
    images: UInt8[Array, "b h w c"],
    count: int,
    magnitude: Float[Array, ""] | float,
    rows: Rows | None = None,
) -> UInt8[Array, "b h w c"]:
    """Changes each image by operations drawn with equal chances, one after another.

    Cubuk et al. 2020 (arXiv 1909.13719), section 3; the same magnitude for all, and either sign
    with probability 1/2. For each image all fourteen are computed, and the one that was drawn is
    taken, as a device that works on a whole batch has to.

    Args:
      key: where the randomness comes from.
      images: pixel values, before they are normalised.
      count: operations for each image, N in the paper.
      magnitude: M in the paper, from 0 to `STEPS`.
      rows: which rows of the whole batch these are.
    """
    batch = len(images)
    rows = rows or Rows(0, batch)
    shape = (rows.whole, count)
    kinds = jax.random.randint(key_for(key, "kinds"), shape, 0, len(OPERATIONS), jnp.int32)
    signs = 2 * jax.random.bernoulli(key_for(key, "signs"), jnp.float32(0.5), shape) - 1.0
    strength = jnp.asarray(magnitude, jnp.float32) / STEPS

    def change(image: Array, kinds: Array, signs: Array) -> Array:
        def once(image: Array, drawn: tuple[Array, Array]) -> tuple[Array, None]:
            kind, sign = drawn
            return jax.lax.switch(kind, list(OPERATIONS.values()), image, strength, sign), None

        return jax.lax.scan(once, image, (kinds, signs))[0]

    drawn = rows.of(kinds, batch), rows.of(signs.astype(jnp.float32), batch)
    return jax.vmap(change)(images.astype(jnp.float32), *drawn).astype(jnp.uint8)
