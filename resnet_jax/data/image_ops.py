"""Decoding and cropping of single images on the host."""

import io
import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

Box = tuple[float, float, float, float]  # left, top, right, bottom; in pixels

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
CHANNELS = tuple(_MODES)

_TRIES = 10
NUM_DRAWS = 4 * _TRIES  # random numbers that one crop may need

# Side of the test crop relative to the shorter side: 224 of 256 (He et al. 2015, section 3.4).
_CENTER = 224 / 256


def decode(encoded: bytes, channels: int) -> Image.Image:
    """Decodes the contents of a PNG or JPEG file.

    Args:
      encoded: the contents.
      channels: 1 (gray), 3 (color) or 4 (color and opacity), to which the image is converted: some
        files of ImageNet are gray or CMYK.

    Raises:
      ValueError: the bytes are not an image, or are truncated.
    """
    try:
        return Image.open(io.BytesIO(encoded)).convert(_MODES[channels])
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{len(encoded)} bytes that are not a complete image") from error


def to_array(image: Image.Image) -> UInt8[np.ndarray, "h w c"]:
    """The pixels of an image; a gray one has one channel."""
    array = np.asarray(image)
    return array.reshape(*array.shape[:2], -1)


def resize(image: Image.Image, box: Box, size: int) -> Image.Image:
    """Resizes a box of an image to `size` x `size` pixels, bilinear with antialiasing."""
    return image.resize((size, size), Image.Resampling.BILINEAR, box=box)


def random_box(width: int, height: int, draws: Float[np.ndarray, " draws"]) -> Box:
    """A box of random area, aspect ratio and position (Szegedy et al. 2015, section 6).

    The area is uniform in 8% to 100% of the image's, the logarithm of the aspect ratio (width to
    height) uniform between those of 3/4 and 4/3, and the position uniform. If none of ten such
    boxes fits, it is the largest central one with a permitted aspect ratio.

    Args:
      width: of the image, in pixels.
      height: of the image, in pixels.
      draws: `NUM_DRAWS` uniform numbers in [0, 1).
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

    Resizing it to 224 is, up to rounding, resizing the shorter side to 256 and cropping the central
    224x224 pixels, in one pass.
    """
    side = _CENTER * min(width, height)
    return _centered(width, height, side, side)


def _centered(width: float, height: float, w: float, h: float) -> Box:
    return (width - w) / 2, (height - h) / 2, (width + w) / 2, (height + h) / 2
