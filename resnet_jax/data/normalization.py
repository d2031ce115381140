"""Mean and standard deviation for the normalization of inputs, from the training split."""

from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8

from resnet_jax.errors import UserError

Normalization = Literal["pixel", "channel", "none"]

# Of ImageNet's training images, in R, G, B.
_IMAGENET_MEAN = 255 * np.array([0.485, 0.456, 0.406], np.float32)
_IMAGENET_STD = 255 * np.array([0.229, 0.224, 0.225], np.float32)

# "none": from 0..255 to 0..1.
_UNIT_SCALE = np.zeros(1, np.float32), np.full(1, 255, np.float32)


def moments(
    images: UInt8[np.ndarray, "n h w c"], normalization: Normalization
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """The mean to subtract from images and the standard deviation to divide by.

    Args:
      images: the training split.
      normalization: one of
        "pixel": the mean image (He et al. 2015, section 4.2: "per-pixel mean subtracted"), and one
          standard deviation about it for all pixels, since single pixels may be constant;
        "channel": mean and standard deviation of each channel;
        "none": 0 and 255, which scales pixels to 0..1.

    Returns:
      (mean, std), float32, in pixel values; both broadcast to an image, and std is positive.
    """
    if normalization == "none":
        return _UNIT_SCALE
    axes = (0,) if normalization == "pixel" else (0, 1, 2)
    mean, variance = _mean_and_variance(images, axes)
    if normalization == "pixel":
        variance = variance.mean().reshape(1)
    std = np.sqrt(variance)
    return mean.astype(np.float32), np.where(std > 0, std, 1).astype(np.float32)


def imagenet_moments(
    normalization: Normalization, channels: int
) -> tuple[Float[np.ndarray, "..."], Float[np.ndarray, "..."]]:
    """`moments` for sets that are streamed: the customary constants of ImageNet.

    They are used for every streamed set, as networks are transferred between such sets.

    Args:
      normalization: "channel" or "none".
      channels: number of channels; "channel" requires 3.

    Raises:
      UserError: there are no constants for this normalization or number of channels.
    """
    if normalization == "none":
        return _UNIT_SCALE
    if normalization == "pixel" or channels != 3:
        raise UserError(
            f"data.normalize = {normalization!r} with {channels} channels requires a set that fits "
            "in memory; for large or cropped images use 'channel' (3 channels) or 'none'"
        )
    return _IMAGENET_MEAN, _IMAGENET_STD


def _mean_and_variance(images: np.ndarray, axes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Computed from exact integer sums, so that the result is the same on every machine."""
    total = squares = np.zeros((), np.int64)
    for part in np.array_split(images, max(1, len(images) // 4096)):  # saves memory
        wide = part.astype(np.int64)
        total = total + wide.sum(axes)
        squares = squares + (wide**2).sum(axes)
    count = images.size / total.size
    mean = np.asarray(total / count)
    return mean, np.maximum(squares / count - mean**2, 0)
