"""A made-up set that a network can learn, for benchmarks and tests.

Each class has a pattern of coarse random squares, and each image is the mean of its class's
pattern and of noise. Classes come in turn, so they are balanced. The set follows from its shape,
number of classes and sizes alone: the same for every seed of a run, and on every machine.
"""

import numpy as np
from jaxtyping import UInt8

from resnet_jax.data import order
from resnet_jax.data.in_memory import Examples

NAME = "synthetic"
_SQUARE = 4  # pixels; large enough that a pattern survives random crops


def examples(
    shape: tuple[int, int, int], classes: int, num_train: int, num_test: int
) -> tuple[Examples, Examples]:
    """The training and the test split.

    Args:
      shape: (height, width, channels) of an image.
      classes: how many classes.
      num_train: examples in the training split.
      num_test: examples in the test split.
    """
    patterns = np.stack([_pattern(shape, index) for index in range(classes)])
    return _split(patterns, num_train, index=0), _split(patterns, num_test, index=1)


def _split(patterns: UInt8[np.ndarray, "classes h w c"], count: int, index: int) -> Examples:
    labels = (np.arange(count) % len(patterns)).astype(np.int32)
    noise = _bytes((count, *patterns.shape[1:]), index)
    return Examples(patterns[labels] // 2 + noise // 2, labels)


def _pattern(shape: tuple[int, int, int], label: int) -> UInt8[np.ndarray, "h w c"]:
    height, width, channels = shape
    coarse = _bytes((-(-height // _SQUARE), -(-width // _SQUARE), channels), 2 + label)
    return coarse.repeat(_SQUARE, axis=0).repeat(_SQUARE, axis=1)[:height, :width]


def _bytes(shape: tuple[int, ...], index: int) -> UInt8[np.ndarray, "..."]:
    """Uniform random bytes; the same on machines of either byte order."""
    count = int(np.prod(shape))
    words = order.words(0, index, order.SYNTHETIC, -(-count // 8))
    return words.astype("<u8").view(np.uint8)[:count].reshape(shape)
