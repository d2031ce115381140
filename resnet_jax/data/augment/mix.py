"""Mixup and cutmix: training on mixtures of two examples and of their labels.

The partner of an example is the one before it in the batch, and the last one for the first. As
batches are reshuffled in every epoch, the partner is a random example. The papers' code draws one
mixing weight for a batch; here each example has its own.

With pmap, partners come from the same replica's part of the batch, so at the borders of the parts
they differ from those on one device; a part of one example is left unchanged. The mixing weights
are the same on any number of devices.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from resnet_jax.data.augment.batch_slice import BatchSlice, key_for

Mixed = tuple[Float[Array, "b h w c"], Float[Array, "b classes"]]


def mixup(
    key: Key[Array, ""],
    images: Float[Array, "b h w c"],
    labels: Float[Array, "b classes"],
    alpha: Float[Array, ""] | float,
    rows: BatchSlice | None = None,
) -> Mixed:
    """Interpolates each example with its partner: w x + (1 - w) x', w ~ Beta(alpha, alpha).

    Zhang et al. 2018 (arXiv 1710.09412), eq. 1. The labels become w y + (1 - w) y'.

    Args:
      key: PRNG key.
      images: normalized images.
      labels: class probabilities, such as one-hot labels.
      alpha: parameter of the Beta distribution; larger values mix more strongly.
      rows: which examples of the global batch these are; None for all of it.
    """
    weights = sample_weights(key, alpha, rows or BatchSlice(0, len(images)), len(images))
    return blend(images, weights), blend(labels, weights)


def cutmix(
    key: Key[Array, ""],
    images: Float[Array, "b h w c"],
    labels: Float[Array, "b classes"],
    alpha: Float[Array, ""] | float,
    rows: BatchSlice | None = None,
) -> Mixed:
    """Pastes a box of its partner into each image (Yun et al. 2019, arXiv 1905.04899, eqs. 1, 2).

    The box has the aspect ratio of the image and 1 - w of its area, w ~ Beta(alpha, alpha). Its
    center is uniform over all pixels, and it is clipped at the border. The labels are weighted by
    the number of pixels that come from each example.

    Args:
      key: PRNG key.
      images: images of any value range.
      labels: class probabilities, such as one-hot labels.
      alpha: parameter of the Beta distribution; 1 in the paper, i.e. uniform weights.
      rows: which examples of the global batch these are; None for all of it.
    """
    batch, height, width, _ = images.shape
    rows = rows or BatchSlice(0, batch)
    weights = sample_weights(key, alpha, rows, batch)
    sizes = jnp.array([height, width])
    center_key = key_for(key, "centre")  # another spelling would give other draws
    draws = jax.random.randint(center_key, (rows.batch_size, 2), 0, sizes, jnp.int32)
    boxes = box_masks(weights, rows.take(draws, batch), height, width)
    pasted = jnp.where(boxes[..., None], partners(images), images)
    return pasted, blend(labels, 1 - jnp.mean(boxes, axis=(1, 2), dtype=jnp.float32))


def sample_weights(
    key: Key[Array, ""], alpha: Float[Array, ""] | float, rows: BatchSlice, count: int
) -> Float[Array, " count"]:
    """Draws the weight of each of `count` examples against its partner, from Beta(alpha, alpha)."""
    alpha = jnp.asarray(alpha, jnp.float32)
    draws = jax.random.beta(key, alpha, alpha, (rows.batch_size,), jnp.float32)
    return rows.take(draws, count)


def box_masks(
    weights: Float[Array, " b"], centers: Int[Array, "b 2"], height: int, width: int
) -> Bool[Array, "b h w"]:
    """The pixels inside the box of each image.

    Args:
      weights: fraction of the image's area outside of the box, before it is clipped.
      centers: center of each box, (y, x) in pixels.
      height: height of the images in pixels.
      width: width of the images in pixels.
    """

    def along(axis: int, size: int) -> Bool[Array, "b size"]:
        half = jnp.floor(size * jnp.sqrt(1 - weights)) // 2
        pixel, center = jnp.arange(size), centers[:, axis]
        return (pixel >= (center - half)[:, None]) & (pixel < (center + half)[:, None])

    return along(0, height)[:, :, None] & along(1, width)[:, None, :]


def blend(values: Float[Array, "b ..."], weights: Float[Array, " b"]) -> Float[Array, "b ..."]:
    """Interpolates between the values of each example, by its weight, and of its partner."""
    weights = weights.reshape(-1, *[1] * (values.ndim - 1))
    return weights * values + (1 - weights) * partners(values)


def partners(values: Float[Array, "b ..."]) -> Float[Array, "b ..."]:
    """The values of each example's partner, the example before it."""
    return jnp.roll(values, 1, axis=0)
