"""Mixtures of two examples, whose label is one of both: mixup and cutmix.

The partner of an example is the one before it in the batch, and that of the first is the last;
the order of a batch is drawn anew in every epoch, so a partner is any other example. Both papers'
code draws one share for a whole batch; here each example has a draw of its own. Replicas that are
mapped have partners within their own part of a batch (a part of one example stays as it is), so
that at the parts' borders they are others than on one device; the shares drawn are the same.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from resnet_jax.data.augment.batch_slice import Rows, key_for

Mixed = tuple[Float[Array, "b h w c"], Float[Array, "b classes"]]


def mixup(
    key: Key[Array, ""],
    images: Float[Array, "b h w c"],
    labels: Float[Array, "b classes"],
    alpha: Float[Array, ""] | float,
    rows: Rows | None = None,
) -> Mixed:
    """Adds another example to each: s x + (1 - s) x', with s drawn from Beta(alpha, alpha).

    Zhang et al. 2018 (arXiv 1710.09412), eq. 1. The labels become s y + (1 - s) y'.

    Args:
      key: where the randomness comes from.
      images: a normalised batch.
      labels: the share that each class has of each example, such as one-hot labels.
      alpha: the larger, the more of the other.
      rows: which rows of the whole batch these are.
    """
    kept = drawn_shares(key, alpha, rows or Rows(0, len(images)), len(images))
    return blended(images, kept), blended(labels, kept)


def cutmix(
    key: Key[Array, ""],
    images: Float[Array, "b h w c"],
    labels: Float[Array, "b classes"],
    alpha: Float[Array, ""] | float,
    rows: Rows | None = None,
) -> Mixed:
    """Pastes a box of another example into each (Yun et al. 2019, arXiv 1905.04899, eqs. 1 and 2).

    The box has the image's proportions and the share 1 - s of its area, s drawn from
    Beta(alpha, alpha), and its centre is any pixel; what hangs over the edge is cut off. The
    labels are mixed by the shares of the pixels that come from each, in whole pixels.

    Args:
      key: where the randomness comes from.
      images: a batch.
      labels: the share that each class has of each example, such as one-hot labels.
      alpha: 1 in the paper: a uniform share.
      rows: which rows of the whole batch these are.
    """
    batch, height, width, _ = images.shape
    rows = rows or Rows(0, batch)
    kept = drawn_shares(key, alpha, rows, batch)
    sizes = jnp.array([height, width])
    draws = jax.random.randint(key_for(key, "centre"), (rows.whole, 2), 0, sizes, jnp.int32)
    inside = boxes(kept, rows.of(draws, batch), height, width)
    pasted = jnp.where(inside[..., None], partners(images), images)
    return pasted, blended(labels, 1 - jnp.mean(inside, axis=(1, 2), dtype=jnp.float32))


def drawn_shares(
    key: Key[Array, ""], alpha: Float[Array, ""] | float, rows: Rows, count: int
) -> Float[Array, " count"]:
    """The share that each example keeps, from Beta(alpha, alpha)."""
    both = jnp.asarray(alpha, jnp.float32)
    return rows.of(jax.random.beta(key, both, both, (rows.whole,), jnp.float32), count)


def boxes(
    kept: Float[Array, " b"], centres: Float[Array, "b 2"], height: int, width: int
) -> Bool[Array, "b h w"]:
    """Which pixels lie in each image's box.

    Args:
      kept: the share of an image outside of a box that lies whole in it.
      centres: (y, x), in pixels.
      height: of an image.
      width: of an image.
    """

    def along(axis: int, size: int) -> Bool[Array, "b size"]:
        half = jnp.floor(size * jnp.sqrt(1 - kept)) // 2
        place, at = jnp.arange(size), centres[:, axis]
        return (place >= (at - half)[:, None]) & (place < (at + half)[:, None])

    return along(0, height)[:, :, None] & along(1, width)[:, None, :]


def blended(values: Float[Array, "b ..."], kept: Float[Array, " b"]) -> Float[Array, "b ..."]:
    """Values with those of the partners added, in the shares that are kept and given up."""
    kept = kept.reshape(-1, *[1] * (values.ndim - 1))
    return kept * values + (1 - kept) * partners(values)


def partners(values: Float[Array, "b ..."]) -> Float[Array, "b ..."]:
    """The values of each example's partner."""
    return jnp.roll(values, 1, axis=0)
