"""The mean and the scale that inputs are normalised with, from the training split."""

from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8

from resnet_jax.errors import UserError

Normalization = Literal["pixel", "channel", "none"]

# Of ImageNet's training images, in R, G, B.
_PHOTOGRAPH_MEAN = 255 * np.array([0.485, 0.456, 0.406], np.float32)
_PHOTOGRAPH_STD = 255 * np.array([0.229, 0.224, 0.225], np.float32)

# "none": from 0..255 to 0..1.
_UNIT_SCALE = np.zeros(1, np.float32), np.full(1, 255, np.float32)


def moments(
    images: UInt8[np.ndarray, "n h w c"], normalization: Normalization
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """What to subtract from an image and what to divide it by.

    Args:
      images: the training split.
      normalization: one of
        "pixel": the mean image (He et al. 2015, section 4.2: "per-pixel mean subtracted"), and one
          deviation for all pixels, that of the images about the mean image. One, because a pixel
          that is the same in all images has no deviation of its own to divide by;
        "channel": mean and standard deviation of each channel;
        "none": 0 and 255, which brings pixels to 0..1.

    Returns:
      (mean, std), float32, in pixel values; both broadcast to an image; std is nowhere zero.
    """
    if normalization == "none":
        return _UNIT_SCALE
    axes = (0,) if normalization == "pixel" else (0, 1, 2)
    mean, variance = _mean_and_variance(images, axes)
    if normalization == "pixel":
        variance = variance.mean().reshape(1)
    std = np.sqrt(variance)
    return mean.astype(np.float32), np.where(std > 0, std, 1).astype(np.float32)


def photographs(
    normalization: Normalization, channels: int
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """What `moments` gives, for sets that are not read through before training: ImageNet's.

    The customary constants, for every set of photographs, since networks move between them.

    Args:
      normalization: "channel" or "none".
      channels: how many channels the images have; "channel" takes 3.

    Raises:
      UserError: there are no constants for this normalisation or number of channels.
    """
    if normalization == "none":
        return _UNIT_SCALE
    if normalization == "pixel" or channels != 3:
        raise UserError(
            f"data.normalize = {normalization!r} with {channels} channels takes a set that is held "
            "in memory; for large or cropped images set it to 'channel' (colour) or 'none'"
        )
    return _PHOTOGRAPH_MEAN, _PHOTOGRAPH_STD


def _mean_and_variance(images: np.ndarray, axes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """By exact sums of integers, so that no machine's order of summing shows in the result."""
    total = squares = np.zeros((), np.int64)
    for part in np.array_split(images, max(1, len(images) // 4096)):  # spares memory
        wide = part.astype(np.int64)
        total = total + wide.sum(axes)
        squares = squares + (wide**2).sum(axes)
    count = images.size / total.size
    mean = np.asarray(total / count)
    return mean, np.maximum(squares / count - mean**2, 0)
