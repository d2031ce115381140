"""The fourteen operations of RandAugment (Cubuk et al. 2020, arXiv 1909.13719, section 3).

Each maps the pixels of one image, whole numbers from 0 to 255 in float32, to others. `strength`
is from 0 to 1, the share of the operation's largest magnitude, and `sign` is 1 or -1, for those
that can go either way. The largest magnitudes are those of torchvision, in thirty steps of which
the paper counts; what the operations do is what Pillow's do, by which the paper's were defined,
on images of any number of channels.

Where an image has moved away it is grey, 128, as in the authors' code.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from resnet_jax.data.augment.geometry import rotation, warp

Image = Float[Array, "h w c"]
Number = Float[Array, ""]

GREY = 128.0
LARGEST_ANGLE = 30.0  # degrees
LARGEST_SHEAR = 0.3
LARGEST_SHIFT = 150 / 331  # of the image's height or width
LARGEST_CHANGE = 0.9  # of a factor from 1
FEWEST_BITS = 4


def identity(image: Image, strength: Number, sign: Number) -> Image:
    """The image as it is."""
    return image


def autocontrast(image: Image, strength: Number, sign: Number) -> Image:
    """Each channel stretched from 0 to 255, unless it has one value only."""
    low, high = image.min(axis=(0, 1)), image.max(axis=(0, 1))
    scale = 255 / jnp.maximum(high - low, 1)
    return jnp.where(high > low, _whole((image - low) * scale), image)


def equalize(image: Image, strength: Number, sign: Number) -> Image:
    """Each channel with its values as evenly frequent as they can be made.

    As in Pillow, whose steps are whole pixels: an image of fewer than 256 is left as it is.
    """
    return jax.vmap(_equalized, in_axes=2, out_axes=2)(image)


def _equalized(plane: Float[Array, "h w"]) -> Float[Array, "h w"]:
    values = plane.astype(jnp.int32)
    counts = jnp.bincount(values.ravel(), length=256)
    step = (plane.size - counts[values.max()]) // 255
    below = jnp.cumsum(counts) - counts
    table: Int[Array, 256] = (step // 2 + below) // jnp.maximum(step, 1)
    return jnp.where(step > 0, jnp.minimum(table, 255)[values].astype(plane.dtype), plane)


def solarize(image: Image, strength: Number, sign: Number) -> Image:
    """Values from a threshold on are inverted; the threshold falls from 255 to 0."""
    return jnp.where(image < 255 * (1 - strength), image, 255 - image)


def posterize(image: Image, strength: Number, sign: Number) -> Image:
    """The values' first bits only, from eight down to four."""
    unit = 2 ** jnp.round(strength * (8 - FEWEST_BITS))
    return jnp.floor(image / unit) * unit


def color(image: Image, strength: Number, sign: Number) -> Image:
    """Away from its greyscale image, or towards it; a greyscale image is left as it is."""
    return _away(_grey(image), image, strength * sign)


def contrast(image: Image, strength: Number, sign: Number) -> Image:
    """Away from the mean of its greyscale image, or towards it."""
    return _away(jnp.floor(_grey(image).mean() + 0.5), image, strength * sign)


def brightness(image: Image, strength: Number, sign: Number) -> Image:
    """Away from black, or towards it."""
    return _away(0.0, image, strength * sign)


def sharpness(image: Image, strength: Number, sign: Number) -> Image:
    """Away from a smoothed image, or towards it; the pixels at the edge are left as they are."""
    if min(image.shape[:2]) < 3:
        return image
    inner = image[1:-1, 1:-1]
    around = jax.lax.reduce_window(image, 0.0, jax.lax.add, (3, 3, 1), (1, 1, 1), "valid")
    smooth = image.at[1:-1, 1:-1].set(jnp.floor((around + 4 * inner) / 13 + 0.5))
    return _away(smooth, image, strength * sign)


def rotate(image: Image, strength: Number, sign: Number) -> Image:
    """Turned about its centre."""
    return _warped(image, rotation(LARGEST_ANGLE * strength * sign))


def shear_x(image: Image, strength: Number, sign: Number) -> Image:
    """Rows moved along themselves, in proportion to their distance from the centre."""
    return _warped(image, _map(xy=LARGEST_SHEAR * strength * sign))


def shear_y(image: Image, strength: Number, sign: Number) -> Image:
    """Columns moved along themselves, in proportion to their distance from the centre."""
    return _warped(image, _map(yx=LARGEST_SHEAR * strength * sign))


def translate_x(image: Image, strength: Number, sign: Number) -> Image:
    """Moved along its rows, by whole pixels."""
    return _warped(image, _map(x=jnp.trunc(LARGEST_SHIFT * image.shape[1] * strength * sign)))


def translate_y(image: Image, strength: Number, sign: Number) -> Image:
    """Moved along its columns, by whole pixels."""
    return _warped(image, _map(y=jnp.trunc(LARGEST_SHIFT * image.shape[0] * strength * sign)))


def _map(
    yx: Number | float = 0, y: Number | float = 0, xy: Number | float = 0, x: Number | float = 0
) -> Float[Array, "2 3"]:
    """A map of `warp`, near the identity."""
    return jnp.array([[1, yx, y], [xy, 1, x]], jnp.float32)


def _warped(image: Image, back: Float[Array, "2 3"]) -> Image:
    return warp(image, back, nearest=True, fill=GREY)


def _grey(image: Image) -> Float[Array, "h w 1"]:
    """Luma by ITU-R 601-2, rounded as Pillow does; of other than three channels, their mean."""
    if image.shape[-1] != 3:
        return jnp.floor(image.mean(axis=-1, keepdims=True) + 0.5)
    weights = jnp.array([19595.0, 38470.0, 7471.0], image.dtype)
    return jnp.floor(((image * weights).sum(-1, keepdims=True) + 32768) / 65536)


def _away(origin: Array | float, image: Image, by: Number) -> Image:
    return _whole(origin + (1 + LARGEST_CHANGE * by) * (image - origin))


def _whole(values: Image) -> Image:
    return jnp.floor(jnp.clip(values, 0, 255))


OPERATIONS: dict[str, Callable[[Image, Number, Number], Image]] = {
    "identity": identity,
    "autocontrast": autocontrast,
    "equalize": equalize,
    "rotate": rotate,
    "solarize": solarize,
    "color": color,
    "posterize": posterize,
    "contrast": contrast,
    "brightness": brightness,
    "sharpness": sharpness,
    "shear_x": shear_x,
    "shear_y": shear_y,
    "translate_x": translate_x,
    "translate_y": translate_y,
}
