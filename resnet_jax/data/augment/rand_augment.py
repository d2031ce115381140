"""RandAugment: a few random operations on each image (Cubuk et al. 2020, arXiv 1909.13719)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, UInt8

from resnet_jax.data.augment.batch_slice import BatchSlice, key_for
from resnet_jax.data.augment.operations import OPERATIONS

MAX_MAGNITUDE = 30
"""The magnitude at which an operation has its full strength."""


def rand_augment(
    key: Key[Array, ""],
    images: UInt8[Array, "b h w c"],
    count: int,
    magnitude: Float[Array, ""] | float,
    rows: BatchSlice | None = None,
) -> UInt8[Array, "b h w c"]:
    """Applies `count` operations in sequence to each image, each drawn uniformly from fourteen.

    Cubuk et al. 2020, section 3. All operations have the same magnitude, and a random sign. As the
    batch is vectorized, all fourteen are computed for each image and one result is selected.

    Args:
      key: PRNG key.
      images: pixel values, 0 to 255, before normalization.
      count: operations for each image, N in the paper.
      magnitude: M in the paper, from 0 to `MAX_MAGNITUDE`.
      rows: which examples of the global batch these are; None for all of it.
    """
    batch = len(images)
    rows = rows or BatchSlice(0, batch)
    shape = (rows.batch_size, count)
    kinds = jax.random.randint(key_for(key, "kinds"), shape, 0, len(OPERATIONS), jnp.int32)
    signs = 2 * jax.random.bernoulli(key_for(key, "signs"), jnp.float32(0.5), shape) - 1.0
    strength = jnp.asarray(magnitude, jnp.float32) / MAX_MAGNITUDE

    def apply(image: Array, kinds: Array, signs: Array) -> Array:
        def once(image: Array, draw: tuple[Array, Array]) -> tuple[Array, None]:
            kind, sign = draw
            return jax.lax.switch(kind, list(OPERATIONS.values()), image, strength, sign), None

        return jax.lax.scan(once, image, (kinds, signs))[0]

    draws = rows.take(kinds, batch), rows.take(signs.astype(jnp.float32), batch)
    return jax.vmap(apply)(images.astype(jnp.float32), *draws).astype(jnp.uint8)
