"""The order in which examples are drawn, as a function of (seed, step).

The training examples form an endless stream: a permutation of all of them for epoch 0, another for
epoch 1, and so on. Step `s` with batch size `B` takes positions `s * B, ..., s * B + B - 1` of the
stream. So every batch is full, a batch may straddle two epochs, and each epoch visits each example
exactly once.

Random numbers are raw 64-bit words of Philox (Salmon et al. 2011), a counter-based generator. NumPy
guarantees these words on every machine and in every version (NEP 19), which it does not for the
methods of `Generator`, including `shuffle` and `permutation`.
"""

import functools

import numpy as np
from jaxtyping import Float, Int

# What random words are used for. Each purpose has its own part of Philox's counter, so that, for
# example, the crop at position 3 is independent of the permutation of epoch 3.
ORDER, CROP, SYNTHETIC = range(3)


def words(seed: int, index: int, purpose: int, count: int) -> np.ndarray:
    """The first words of the random stream of (seed, index, purpose).

    Args:
      seed: any integer; taken modulo 2^64.
      index: the stream of this seed: an epoch, a position, a class.
      purpose: `ORDER`, `CROP` or `SYNTHETIC`.
      count: number of words.

    Returns:
      uint64[count], uniform and independent.
    """
    key = np.array([seed % 2**64, index % 2**64], np.uint64)
    counter = np.array([0, 0, 0, purpose], np.uint64)
    return np.random.Philox(key=key, counter=counter).random_raw(count)


def uniforms(seed: int, index: int, purpose: int, count: int) -> Float[np.ndarray, " count"]:
    """`words` as float64 in [0, 1), from the upper 53 bits of each word."""
    return (words(seed, index, purpose, count) >> np.uint64(11)) * 2.0**-53


@functools.lru_cache(maxsize=4)
def permutation(seed: int, epoch: int, size: int) -> Int[np.ndarray, " size"]:
    """The order of the examples in an epoch: the stable argsort of `size` random words."""
    order = np.argsort(words(seed, epoch, ORDER, size), kind="stable")
    order.flags.writeable = False  # the cache hands out the same array again
    return order


def example(seed: int, position: int, size: int) -> int:
    """The index of the example at a position of the stream over a set of `size` examples."""
    epoch, place = divmod(position, size)
    return int(permutation(seed, epoch, size)[place])


def batch(seed: int, step: int, batch_size: int, size: int) -> Int[np.ndarray, " batch_size"]:
    """The examples in the batch of a step.

    Args:
      seed: the run's seed.
      step: the step, from 0.
      batch_size: examples in a batch; it may exceed `size`.
      size: examples in the set.

    Returns:
      int32 indices into the set.
    """
    positions = np.arange(step * batch_size, (step + 1) * batch_size)
    epochs, places = np.divmod(positions, size)
    parts = [permutation(seed, int(e), size)[places[epochs == e]] for e in np.unique(epochs)]
    return np.concatenate(parts).astype(np.int32)
