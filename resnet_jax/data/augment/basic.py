"""Normalisation, crops, flips and cutout, and the order in which a batch goes through them.

The recipe of crops and flips is that of He et al. 2015, section 4.2, for CIFAR: "4 pixels are
padded on each side, and a 32x32 crop is randomly sampled from the padded image or its horizontal
flip". The padding is zeros after normalisation, that is, the mean image; padding raw pixels with
zeros would surround each image with black, a value that is far from the mean and that the test
images never have there.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, UInt8

from resnet_jax.data.augment.batch_slice import Rows, key_for
from resnet_jax.data.augment.geometry import rotate


def normalize(
    images: UInt8[Array, "b h w c"], mean: Float[Array, "..."], std: Float[Array, "..."]
) -> Float[Array, "b h w c"]:
    """Pixel values to inputs of the network: `(images - mean) / std`, in the type of these two.

    Args:
      images: pixel values, 0 to 255.
      mean: in pixel values; broadcasts to an image.
      std: in pixel values; broadcasts to an image.
    """
    return (images.astype(jnp.float32) - mean) / std


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


def cutout(
    key: Key[Array, ""], images: Float[Array, "b h w c"], side: int, rows: Rows | None = None
) -> Float[Array, "b h w c"]:
    """Sets a square of each image to zero, the mean (DeVries and Taylor 2017, arXiv 1708.04552).

    Its centre is any pixel with equal chances, so that the square may hang over the edge, which
    the paper found better than one that never does.

    Args:
      key: where the randomness comes from.
      images: a normalised batch.
      side: of the square, in pixels; of an even side the centre is right of and below the middle.
      rows: which rows of the whole batch these are.
    """
    batch, *sizes, _ = images.shape
    rows = rows or Rows(0, batch)
    draws = jax.random.randint(key, (rows.whole, 2), 0, jnp.array(sizes), jnp.int32)
    first = rows.of(draws, batch) - side // 2
    ahead = [jnp.arange(size) - first[:, axis, None] for axis, size in enumerate(sizes)]
    down, across = [(steps >= 0) & (steps < side) for steps in ahead]
    square = down[:, :, None, None] & across[:, None, :, None]
    return jnp.where(square, 0, images)


def augment(
    key: Key[Array, ""],
    images: Float[Array, "b h w c"],
    crop_padding: int = 0,
    mirror: bool = False,
    rows: Rows | None = None,
    *,
    degrees: Float[Array, ""] | float | None = None,
    cut: int = 0,
) -> Float[Array, "b h w c"]:
    """The random changes that a training batch goes through, after `normalize`.

    They are made in the order of rotation, crop, flip and cutout, and none of them changes what
    another one draws.

    Args:
      key: where the randomness comes from; the caller folds it from (seed, step).
      images: a normalised batch.
      crop_padding: the padding of `pad_and_crop` in pixels; 0 leaves it out.
      mirror: whether to mirror half of the images.
      rows: which rows of the whole batch these are, whose draws they take; all by default.
      degrees: the largest angle of `rotate`; None leaves it out.
      cut: the side of the square of `cutout` in pixels; 0 leaves it out.
    """
    crop_key, flip_key = jax.random.split(key)
    if degrees is not None:
        images = rotate(key_for(key, "rotate"), images, degrees, rows)
    if crop_padding:
        images = pad_and_crop(crop_key, images, crop_padding, rows)
    if mirror:
        images = flip(flip_key, images, rows)
    if cut:
        images = cutout(key_for(key, "cutout"), images, cut, rows)
    return images
