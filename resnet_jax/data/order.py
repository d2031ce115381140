"""The order in which examples are drawn, as a function of (seed, step) and of nothing else.

The training examples form one endless stream: a permutation of all of them for epoch 0, another
for epoch 1, and so on, one after the other. Step `s` with batch size `B` takes the positions
`s * B, ..., s * B + B - 1` of that stream. So every batch is full, a batch may straddle two
epochs, and each epoch visits each example exactly once.

Randomness comes from Philox (Salmon et al. 2011), a counter-based generator, and only as raw
64-bit words: NumPy promises the same raw words on every machine and in every version (NEP 19),
which it does not promise for the methods of `Generator`, `shuffle` and `permutation` included.
"""

import functools

import numpy as np
from jaxtyping import Float, Int

# The uses of a seed. Each draws from its own part of Philox's counter, so that, say, the crops
# at position 3 have nothing to do with the permutation of epoch 3.
ORDER, CROP, SYNTHETIC = range(3)


def words(seed: int, index: int, purpose: int, count: int) -> np.ndarray:
    """The first words of the random stream that belongs to (seed, index, purpose).

    Args:
      seed: any integer; taken modulo 2^64.
      index: which stream of this seed: an epoch, a position, a class.
      purpose: what the words are for: `ORDER`, `CROP` or `SYNTHETIC`.
      count: how many words.

    Returns:
      uint64[count], uniform and independent.
    """
    key = np.array([seed % 2**64, index % 2**64], np.uint64)
    counter = np.array([0, 0, 0, purpose], np.uint64)
    return np.random.Philox(key=key, counter=counter).random_raw(count)


def uniforms(seed: int, index: int, purpose: int, count: int) -> Float[np.ndarray, " count"]:
    """Like `words`, as float64 numbers in [0, 1): the upper 53 bits of each word."""
    return (words(seed, index, purpose, count) >> np.uint64(11)) * 2.0**-53


@functools.lru_cache(maxsize=4)
def permutation(seed: int, epoch: int, size: int) -> Int[np.ndarray, " size"]:
    """The order of the examples in one epoch: the stable argsort of `size` random words."""
    order = np.argsort(words(seed, epoch, ORDER, size), kind="stable")
    order.flags.writeable = False  # it is shared by all who ask for it
    return order


def example(seed: int, position: int, size: int) -> int:
    """The example at one position of the stream over a set of `size` examples."""
    epoch, place = divmod(position, size)
    return int(permutation(seed, epoch, size)[place])


def batch(seed: int, step: int, batch_size: int, size: int) -> Int[np.ndarray, " batch_size"]:
    """The examples of one step's batch.

    Args:
      seed: the run's seed.
      step: the step, from 0.
      batch_size: how many examples a step takes; it may exceed `size`.
      size: how many examples the set has.

    Returns:
      int32 indices into the set.
    """
    positions = np.arange(step * batch_size, (step + 1) * batch_size)
    epochs, places = np.divmod(positions, size)
    parts = [permutation(seed, int(e), size)[places[epochs == e]] for e in np.unique(epochs)]
    return np.concatenate(parts).astype(np.int32)
