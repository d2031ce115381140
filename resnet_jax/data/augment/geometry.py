"""Images seen through a linear map of the plane: rotations, shears, translations."""

import jax
import jax.numpy as jnp
from jax.scipy.ndimage import map_coordinates
from jaxtyping import Array, Float, Key

from resnet_jax.data.augment.batch_slice import Rows


def warp(
    image: Float[Array, "h w c"], back: Float[Array, "2 3"], *, nearest: bool, fill: float
) -> Float[Array, "h w c"]:
    """An image whose pixel p is that of the given one at `back @ (p, 1)`.

    Args:
      image: height before width.
      back: from places (y, x) in the result to those in the image, both in pixels down and to the
        right of the image's centre.
      nearest: whether to take the nearest pixel, instead of the four around, by their distances.
      fill: what lies outside of the image.
    """
    height, width, _ = image.shape
    middle = jnp.array([(height - 1) / 2, (width - 1) / 2], jnp.float32)[:, None, None]
    places = jnp.indices((height, width), jnp.float32) - middle
    source = jnp.einsum("ij,jhw->ihw", back[:, :2], places, precision="highest")
    at = list(source + back[:, 2, None, None] + middle)

    def channel(plane: Float[Array, "h w"]) -> Float[Array, "h w"]:
        return map_coordinates(plane, at, order=0 if nearest else 1, mode="constant", cval=fill)

    return jax.vmap(channel, in_axes=2, out_axes=2)(image)


def rotation(degrees: Float[Array, ""]) -> Float[Array, "2 3"]:
    """The map of `warp` that turns an image anticlockwise about its centre."""
    angle = jnp.deg2rad(degrees)
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return jnp.array([[cos, sin, 0], [-sin, cos, 0]], jnp.float32)


def rotate(
    key: Key[Array, ""],
    images: Float[Array, "b h w c"],
    degrees: Float[Array, ""] | float,
    rows: Rows | None = None,
) -> Float[Array, "b h w c"]:
    """Turns each image by an angle drawn uniformly, with zeros, the mean, at the corners.

    Args:
      key: where the randomness comes from.
      images: a normalised batch.
      degrees: the largest angle, either way.
      rows: which rows of the whole batch these are.
    """
    rows = rows or Rows(0, len(images))
    draws = jax.random.uniform(key, (rows.whole,), jnp.float32, -1, 1)
    return turned(images, degrees * rows.of(draws, len(images)))


def turned(images: Float[Array, "b h w c"], degrees: Float[Array, " b"]) -> Float[Array, "b h w c"]:
    """Each image turned anticlockwise by its angle, between pixels by linear interpolation."""

    def turn(image: Array, angle: Array) -> Array:
        return warp(image, rotation(angle), nearest=False, fill=0.0)

    return jax.vmap(turn)(images, degrees)
