"""Normalisation and augmentation as pure functions, to be called inside the training step.

The recipe is that of He et al. 2015, section 4.2, for CIFAR: "4 pixels are padded on each side,
and a 32x32 crop is randomly sampled from the padded image or its horizontal flip". The padding is
zeros after normalisation, that is, the mean image; padding raw pixels with zeros would surround
each image with black, a value that is far from the mean and that the test images never have there.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key, Shaped, UInt8


def normalize(
    images: UInt8[Array, "b h w c"], mean: Float[Array, "..."], std: Float[Array, "..."]
) -> Float[Array, "b h w c"]:
    """Pixel values to inputs of the network: `(images - mean) / std`, in float32.

    Args:
      images: pixel values, 0 to 255.
      mean: in pixel values; broadcasts to an image.
      std: in pixel values; broadcasts to an image.
    """
    return (images.astype(jnp.float32) - mean) / std


class Rows(NamedTuple):
    """Which rows of the whole batch are in hand, where replicas have a part of it each.

    Attributes:
      first: the number of the first one.
      whole: examples in the whole batch.
    """

    first: Int[Array, ""] | int
    whole: int

    def of(self, draws: Shaped[Array, "whole ..."], count: int) -> Shaped[Array, "count ..."]:
        """The draws of the rows in hand, from those of the whole batch."""
        return jax.lax.dynamic_slice_in_dim(draws, self.first, count)


def pad_and_crop(
    key: Key[Array, ""], images: Float[Array, "b h w c"], padding: int, rows: Rows | None = None
) -> Float[Array, "b h w c"]:
    """Moves each image by up to `padding` pixels along each axis; zeros come in at the edges.

    The same as to pad by `padding` on each side and to crop at a place chosen uniformly from the
    `(2 * padding + 1)^2` possible ones, for each image on its own.
    """
    batch, height, width, channels = images.shape
    rows = rows or Rows(0, batch)
    border = (padding, padding)
    padded = jnp.pad(images, ((0, 0), border, border, (0, 0)))
    draws = jax.random.randint(key, (rows.whole, 2), 0, 2 * padding + 1, jnp.int32)
    corners = rows.of(draws, batch)

    def crop(image: Array, corner: Array) -> Array:
        return jax.lax.dynamic_slice(image, (*corner, jnp.int32(0)), (height, width, channels))

    return jax.vmap(crop)(padded, corners)


def flip(
    key: Key[Array, ""], images: Float[Array, "b h w c"], rows: Rows | None = None
) -> Float[Array, "b h w c"]:
    """Mirrors each image left to right with probability 1/2."""
    rows = rows or Rows(0, len(images))
    mirrored = rows.of(jax.random.bernoulli(key, jnp.float32(0.5), (rows.whole,)), len(images))
    return jnp.where(mirrored[:, None, None, None], images[:, :, ::-1], images)


def augment(
    key: Key[Array, ""],
    images: Float[Array, "b h w c"],
    crop_padding: int = 0,
    mirror: bool = False,
    rows: Rows | None = None,
) -> Float[Array, "b h w c"]:
    """The random changes that a training batch goes through, after `normalize`.

    Args:
      key: where the randomness comes from; the caller folds it from (seed, step).
      images: a normalised batch.
      crop_padding: the padding of `pad_and_crop` in pixels; 0 leaves it out.
      mirror: whether to mirror half of the images.
      rows: which rows of the whole batch these are, whose draws they take; all by default.
    """
    crop_key, flip_key = jax.random.split(key)
    if crop_padding:
        images = pad_and_crop(crop_key, images, crop_padding, rows)
    if mirror:
        images = flip(flip_key, images, rows)
    return images
