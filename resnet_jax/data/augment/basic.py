"""Normalization, random crops, flips and cutout, and the order in which they are applied.

Crops and flips follow He et al. 2015, section 4.2 (CIFAR): "4 pixels are padded on each side, and a
32x32 crop is randomly sampled from the padded image or its horizontal flip". Images are padded with
zeros after normalization, i.e. with the mean. Padding raw pixels with zeros would surround them
with black, which is far from the mean and never occurs at the border of a test image.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, UInt8

from resnet_jax.data.augment.batch_slice import BatchSlice, key_for
from resnet_jax.data.augment.geometry import random_rotate

Images = Float[Array, "b h w c"]


def normalize(
    images: UInt8[Array, "b h w c"], mean: Float[Array, "..."], std: Float[Array, "..."]
) -> Float[Array, "b h w c"]:
    """Normalizes pixel values: `(images - mean) / std`, in the dtype of `mean` and `std`.

    Args:
      images: pixel values, 0 to 255.
      mean: in pixel values; broadcasts to an image.
      std: in pixel values; broadcasts to an image.
    """
    return (images.astype(jnp.float32) - mean) / std


def pad_and_crop(
    key: Key[Array, ""], images: Images, padding: int, rows: BatchSlice | None = None
) -> Images:
    """Pads each image with zeros on all sides and takes a random crop of the original size.

    Each of the `(2 * padding + 1)^2` crops has the same probability, independently for each image.

    Args:
      key: PRNG key.
      images: normalized images.
      padding: width of the padding in pixels.
      rows: which examples of the global batch these are; None for all of it.
    """
    batch, height, width, channels = images.shape
    rows = rows or BatchSlice(0, batch)
    border = (padding, padding)
    padded = jnp.pad(images, ((0, 0), border, border, (0, 0)))
    draws = jax.random.randint(key, (rows.batch_size, 2), 0, 2 * padding + 1, jnp.int32)
    corners = rows.take(draws, batch)

    def crop(image: Array, corner: Array) -> Array:
        return jax.lax.dynamic_slice(image, (*corner, jnp.int32(0)), (height, width, channels))

    return jax.vmap(crop)(padded, corners)


def flip(key: Key[Array, ""], images: Images, rows: BatchSlice | None = None) -> Images:
    """Flips each image horizontally with probability 1/2.

    Args:
      key: PRNG key.
      images: images of any value range.
      rows: which examples of the global batch these are; None for all of it.
    """
    rows = rows or BatchSlice(0, len(images))
    draws = jax.random.bernoulli(key, jnp.float32(0.5), (rows.batch_size,))
    flipped = rows.take(draws, len(images))
    return jnp.where(flipped[:, None, None, None], images[:, :, ::-1], images)


def cutout(
    key: Key[Array, ""], images: Images, side: int, rows: BatchSlice | None = None
) -> Images:
    """Sets a square of each image to zero, the mean (DeVries and Taylor 2017, arXiv 1708.04552).

    The center is uniform over all pixels and the square is clipped at the border; the paper found
    this better than squares that lie entirely inside the image.

    Args:
      key: PRNG key.
      images: normalized images.
      side: side of the square in pixels; for an even side, the center pixel is the one to the right
        of and below the middle.
      rows: which examples of the global batch these are; None for all of it.
    """
    batch, *sizes, _ = images.shape
    rows = rows or BatchSlice(0, batch)
    draws = jax.random.randint(key, (rows.batch_size, 2), 0, jnp.array(sizes), jnp.int32)
    first = rows.take(draws, batch) - side // 2
    offsets = [jnp.arange(size) - first[:, axis, None] for axis, size in enumerate(sizes)]
    down, across = [(offset >= 0) & (offset < side) for offset in offsets]
    square = down[:, :, None, None] & across[:, None, :, None]
    return jnp.where(square, 0, images)


def augment(
    key: Key[Array, ""],
    images: Images,
    crop_padding: int = 0,
    mirror: bool = False,
    rows: BatchSlice | None = None,
    *,
    degrees: Float[Array, ""] | float | None = None,
    cut: int = 0,
) -> Images:
    """Applies rotation, crop, flip and cutout, in this order, after `normalize`.

    Each has its own key, so enabling one does not change the draws of another.

    Args:
      key: PRNG key, which the caller derives from (seed, step).
      images: normalized images.
      crop_padding: padding of `pad_and_crop` in pixels; 0 disables it.
      mirror: whether to apply `flip`.
      rows: which examples of the global batch these are; None for all of it.
      degrees: largest angle of `random_rotate`; None disables it.
      cut: side of the square of `cutout` in pixels; 0 disables it.
    """
    crop_key, flip_key = jax.random.split(key)
    if degrees is not None:
        images = random_rotate(key_for(key, "rotate"), images, degrees, rows)
    if crop_padding:
        images = pad_and_crop(crop_key, images, crop_padding, rows)
    if mirror:
        images = flip(flip_key, images, rows)
    if cut:
        images = cutout(key_for(key, "cutout"), images, cut, rows)
    return images
