"""The fourteen operations of RandAugment (Cubuk et al. 2020, arXiv 1909.13719, section 3).

Each takes and returns the pixels of one image, whole numbers from 0 to 255 in float32, with any
number of channels. `strength` is the fraction, 0 to 1, of the operation's largest magnitude;
`sign` is 1 or -1, the direction of operations that have one. The results are those of Pillow,
which the paper's code calls; the largest magnitudes are those of torchvision's RandAugment. As in
the authors' code, geometric operations fill with gray (128).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from resnet_jax.data.augment.geometry import rotation, warp

Image = Float[Array, "h w c"]
Scalar = Float[Array, ""]

GRAY = 128.0
MAX_ANGLE = 30.0  # degrees
MAX_SHEAR = 0.3
MAX_SHIFT = 150 / 331  # of the image's height or width
MAX_ENHANCEMENT = 0.9  # largest difference of an enhancement factor from 1
MIN_BITS = 4


def identity(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Returns the image unchanged."""
    return image


def autocontrast(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Stretches the values of each channel to 0..255; a constant channel is unchanged."""
    low, high = image.min(axis=(0, 1)), image.max(axis=(0, 1))
    scale = 255 / jnp.maximum(high - low, 1)
    return jnp.where(high > low, _to_pixels((image - low) * scale), image)


def equalize(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Equalizes the histogram of each channel.

    As in Pillow, the bins are counted in whole pixels: an image of fewer than 256 is unchanged.
    """
    return jax.vmap(_equalize_channel, in_axes=2, out_axes=2)(image)


def _equalize_channel(plane: Float[Array, "h w"]) -> Float[Array, "h w"]:
    values = plane.astype(jnp.int32)
    counts = jnp.bincount(values.ravel(), length=256)
    step = (plane.size - counts[values.max()]) // 255
    below = jnp.cumsum(counts) - counts
    table: Int[Array, 256] = (step // 2 + below) // jnp.maximum(step, 1)
    return jnp.where(step > 0, jnp.minimum(table, 255)[values].astype(plane.dtype), plane)


def solarize(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Inverts the values at or above a threshold, which falls from 255 to 0 with the strength."""
    return jnp.where(image < 255 * (1 - strength), image, 255 - image)


def posterize(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Keeps the most significant bits of each value, from eight down to four."""
    unit = 2 ** jnp.round(strength * (8 - MIN_BITS))
    return jnp.floor(image / unit) * unit


def color(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Increases or decreases the saturation; a gray image is unchanged."""
    return _enhance(_to_gray(image), image, strength * sign)


def contrast(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Increases or decreases the contrast about the mean luminance."""
    return _enhance(jnp.floor(_to_gray(image).mean() + 0.5), image, strength * sign)


def brightness(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Brightens or darkens the image."""
    return _enhance(0.0, image, strength * sign)


def sharpness(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Sharpens or smooths the image; the pixels at the border are unchanged."""
    if min(image.shape[:2]) < 3:
        return image
    inner = image[1:-1, 1:-1]
    around = jax.lax.reduce_window(image, 0.0, jax.lax.add, (3, 3, 1), (1, 1, 1), "valid")
    smooth = image.at[1:-1, 1:-1].set(jnp.floor((around + 4 * inner) / 13 + 0.5))
    return _enhance(smooth, image, strength * sign)


def rotate(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Rotates the image about its center."""
    return _warp(image, rotation(MAX_ANGLE * strength * sign))


def shear_x(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Shifts each row horizontally, in proportion to its distance from the center."""
    return _warp(image, _affine(xy=MAX_SHEAR * strength * sign))


def shear_y(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Shifts each column vertically, in proportion to its distance from the center."""
    return _warp(image, _affine(yx=MAX_SHEAR * strength * sign))


def translate_x(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Shifts the image horizontally by a whole number of pixels."""
    return _warp(image, _affine(x=jnp.trunc(MAX_SHIFT * image.shape[1] * strength * sign)))


def translate_y(image: Image, strength: Scalar, sign: Scalar) -> Image:
    """Shifts the image vertically by a whole number of pixels."""
    return _warp(image, _affine(y=jnp.trunc(MAX_SHIFT * image.shape[0] * strength * sign)))


def _affine(
    yx: Scalar | float = 0, y: Scalar | float = 0, xy: Scalar | float = 0, x: Scalar | float = 0
) -> Float[Array, "2 3"]:
    """The matrix of a shear or translation, as `warp` takes it."""
    return jnp.array([[1, yx, y], [xy, 1, x]], jnp.float32)


def _warp(image: Image, inverse: Float[Array, "2 3"]) -> Image:
    return warp(image, inverse, nearest=True, fill=GRAY)


def _to_gray(image: Image) -> Float[Array, "h w 1"]:
    """ITU-R 601-2 luma with Pillow's rounding; the mean if there are not three channels."""
    if image.shape[-1] != 3:
        return jnp.floor(image.mean(axis=-1, keepdims=True) + 0.5)
    weights = jnp.array([19595.0, 38470.0, 7471.0], image.dtype)
    return jnp.floor(((image * weights).sum(-1, keepdims=True) + 32768) / 65536)


def _enhance(degenerate: Array | float, image: Image, amount: Scalar) -> Image:
    """Extrapolates from a degenerate image through the given one, as Pillow's ImageEnhance."""
    return _to_pixels(degenerate + (1 + MAX_ENHANCEMENT * amount) * (image - degenerate))


def _to_pixels(values: Image) -> Image:
    return jnp.floor(jnp.clip(values, 0, 255))


OPERATIONS: dict[str, Callable[[Image, Scalar, Scalar], Image]] = {
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
