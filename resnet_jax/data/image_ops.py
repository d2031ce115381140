"""From the encoded bytes of one image to pixels: decoded, and cropped to one size."""

import io
import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from resnet_jax.data.tfds.folders import Prepared
from resnet_jax.errors import UserError

Box = tuple[float, float, float, float]  # left, top, right, bottom; in pixels

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_TRIES = 10
DRAWS = 4 * _TRIES  # random numbers that one crop may take

# What part of the shorter side the test crop shows: 224 of 256 (He et al. 2015, section 3.4).
_CENTER = 224 / 256


def decode(encoded: bytes, channels: int, prepared: Prepared) -> Image.Image:
    """Decodes the contents of a PNG or JPEG file.

    Args:
      encoded: the contents.
      channels: 1 (grey), 3 (colour) or 4 (colour and opacity). Some files of ImageNet are grey or
        CMYK; all come out alike.
      prepared: the set that they come from, for messages.

    Raises:
      UserError: the bytes are no image, or one that is cut short.
    """
    try:
        return Image.open(io.BytesIO(encoded)).convert(_MODES[channels])
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(
            f"{prepared.name!r} in {prepared.folder} holds something that is no whole image "
            f"({len(encoded)} bytes): {prepared.again}"
        ) from error


def pixels(picture: Image.Image) -> UInt8[np.ndarray, "h w c"]:
    """The pixels of a picture; one channel if it is grey."""
    array = np.asarray(picture)
    return array.reshape(*array.shape[:2], -1)


def resize(picture: Image.Image, box: Box, size: int) -> Image.Image:
    """What lies in a box of a picture, at `size` by `size` pixels, bilinear with antialiasing."""
    return picture.resize((size, size), Image.Resampling.BILINEAR, box=box)


def random_box(width: int, height: int, draws: Float[np.ndarray, " draws"]) -> Box:
    """A box of random size, shape and place (Szegedy et al. 2015, section 6).

    Its area is uniform in 8% to 100% of the picture's, the logarithm of its ratio of width to
    height uniform in that of 3/4 to 4/3, its place uniform. If none of ten such boxes fits, it is
    the largest one in the centre.

    Args:
      width: of the picture, in pixels.
      height: of the picture, in pixels.
      draws: `DRAWS` uniform numbers in [0, 1).
    """
    for area, shape, across, down in draws.reshape(_TRIES, 4):
        target = (0.08 + 0.92 * area) * width * height
        ratio = math.exp((2 * shape - 1) * math.log(4 / 3))
        w, h = round(math.sqrt(target * ratio)), round(math.sqrt(target / ratio))
        if 0 < w <= width and 0 < h <= height:
            left, top = int(across * (width - w + 1)), int(down * (height - h + 1))
            return left, top, left + w, top + h
    return _centered(width, height, min(width, height * 4 / 3), min(height, width * 4 / 3))


def center_box(width: int, height: int) -> Box:
    """The central square of 224/256 of the shorter side.

    To resize it to 224 is, but for rounding, to resize the shorter side to 256 and to take the
    central 224 by 224 pixels, in one pass.
    """
    side = _CENTER * min(width, height)
    return _centered(width, height, side, side)


def _centered(width: float, height: float, w: float, h: float) -> Box:
    return (width - w) / 2, (height - h) / 2, (width + w) / 2, (height + h) / 2
