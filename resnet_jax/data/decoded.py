"""Whole splits, decoded once for a process."""

import functools

import numpy as np

from resnet_jax.data import image_ops as pictures
from resnet_jax.data.in_memory import Examples
from resnet_jax.data.tfds.source import Source
from resnet_jax.errors import UserError


@functools.lru_cache(maxsize=4)  # a grid of experiments loads the same set for each run
def examples(source: Source) -> Examples:
    """Reads and decodes a split of images of one shape.

    Raises:
      UserError: an example is damaged, or not of the set's shape.
    """
    images = np.empty((len(source), *source.shape), np.uint8)
    labels = np.empty(len(source), np.int32)
    for index in range(len(source)):
        encoded, labels[index] = source[index]
        images[index] = image(encoded, source)
    return Examples(images, labels)


def image(encoded: bytes, source: Source) -> np.ndarray:
    """The pixels of one image as it is stored.

    Raises:
      UserError: it is damaged, or not of the set's shape.
    """
    prepared = source.prepared
    array = pictures.pixels(pictures.decode(encoded, source.shape[-1], prepared))
    if array.shape != source.shape:
        raise UserError(
            f"{prepared.name!r} in {prepared.folder} holds an image of shape {array.shape} where "
            f"all should be {source.shape}: {prepared.again}"
        )
    return array
