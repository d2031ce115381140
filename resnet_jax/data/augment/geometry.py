"""Affine image transformations, by inverse mapping."""

import jax
import jax.numpy as jnp
from jax.scipy.ndimage import map_coordinates
from jaxtyping import Array, Float, Key

from resnet_jax.data.augment.batch_slice import BatchSlice


def warp(
    image: Float[Array, "h w c"], inverse: Float[Array, "2 3"], *, nearest: bool, fill: float
) -> Float[Array, "h w c"]:
    """Applies an affine transformation to an image.

    Args:
      image: the input image.
      inverse: the inverse transformation, [A | t]: output coordinates p = (y, x) show the input at
        A p + t. Coordinates are in pixels, downward and to the right of the image's center.
      nearest: whether to use nearest-neighbor instead of bilinear interpolation.
      fill: value outside the input image.
    """
    height, width, _ = image.shape
    center = jnp.array([(height - 1) / 2, (width - 1) / 2], jnp.float32)[:, None, None]
    output = jnp.indices((height, width), jnp.float32) - center
    source = jnp.einsum("ij,jhw->ihw", inverse[:, :2], output, precision="highest")
    coordinates = list(source + inverse[:, 2, None, None] + center)
    order = 0 if nearest else 1

    def channel(plane: Float[Array, "h w"]) -> Float[Array, "h w"]:
        return map_coordinates(plane, coordinates, order=order, mode="constant", cval=fill)

    return jax.vmap(channel, in_axes=2, out_axes=2)(image)


def rotation(degrees: Float[Array, ""]) -> Float[Array, "2 3"]:
    """The inverse matrix, as `warp` takes it, of a counterclockwise rotation about the center."""
    angle = jnp.deg2rad(degrees)
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    return jnp.array([[cos, sin, 0], [-sin, cos, 0]], jnp.float32)


def rotate(images: Float[Array, "b h w c"], degrees: Float[Array, " b"]) -> Float[Array, "b h w c"]:
    """Rotates each image counterclockwise by its angle, with bilinear interpolation.

    Args:
      images: normalized images; pixels from outside are 0, the mean.
      degrees: one angle for each image.
    """

    def one(image: Array, angle: Array) -> Array:
        return warp(image, rotation(angle), nearest=False, fill=0.0)

    return jax.vmap(one)(images, degrees)


def random_rotate(
    key: Key[Array, ""],
    images: Float[Array, "b h w c"],
    degrees: Float[Array, ""] | float,
    rows: BatchSlice | None = None,
) -> Float[Array, "b h w c"]:
    """Rotates each image by an angle drawn uniformly from [-degrees, degrees].

    Args:
      key: PRNG key.
      images: normalized images.
      degrees: largest angle in either direction.
      rows: which examples of the global batch these are; None for all of it.
    """
    rows = rows or BatchSlice(0, len(images))
    draws = jax.random.uniform(key, (rows.batch_size,), jnp.float32, -1, 1)
    return rotate(images, degrees * rows.take(draws, len(images)))
