"""A synthetic set that a network can learn, for benchmarks and tests.

Each class has a pattern of coarse random squares, and each image is the mean of its class's
pattern and of noise. Labels cycle through the classes, so classes are balanced. The set is a
function of its shape, number of classes and sizes alone: it is the same for every seed of a run,
and on every machine.
"""

import numpy as np
from jaxtyping import UInt8

from resnet_jax.data import order
from resnet_jax.data.in_memory import Examples

_SQUARE = 4  # pixels; large enough that a pattern survives random crops


def examples(
    shape: tuple[int, int, int], classes: int, num_train: int, num_test: int
) -> tuple[Examples, Examples]:
    """Generates the training and the test split.

    Args:
      shape: (height, width, channels) of an image.
      classes: number of classes.
      num_train: examples in the training split.
      num_test: examples in the test split.
    """
    patterns = np.stack([_pattern(shape, label) for label in range(classes)])
    return _split(patterns, num_train, stream=0), _split(patterns, num_test, stream=1)


def _split(patterns: UInt8[np.ndarray, "classes h w c"], count: int, stream: int) -> Examples:
    labels = (np.arange(count) % len(patterns)).astype(np.int32)
    noise = _random_bytes((count, *patterns.shape[1:]), stream)
    return Examples(patterns[labels] // 2 + noise // 2, labels)


def _pattern(shape: tuple[int, int, int], label: int) -> UInt8[np.ndarray, "h w c"]:
    height, width, channels = shape
    coarse = _random_bytes((-(-height // _SQUARE), -(-width // _SQUARE), channels), 2 + label)
    return coarse.repeat(_SQUARE, axis=0).repeat(_SQUARE, axis=1)[:height, :width]


def _random_bytes(shape: tuple[int, ...], stream: int) -> UInt8[np.ndarray, "..."]:
    """Uniform random bytes; the same on machines of either byte order."""
    count = int(np.prod(shape))
    words = order.words(0, stream, order.SYNTHETIC, -(-count // 8))
    return words.astype("<u8").view(np.uint8)[:count].reshape(shape)
