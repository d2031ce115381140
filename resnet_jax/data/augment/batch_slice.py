"""Random draws that do not depend on how a batch is divided among replicas."""

import zlib
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Int, Key, Shaped


class BatchSlice(NamedTuple):
    """The consecutive examples of a global batch that a replica holds.

    Attributes:
      start: index of the first one in the global batch.
      batch_size: examples in the global batch.
    """

    start: Int[Array, ""] | int
    batch_size: int

    def take(self, draws: Shaped[Array, "whole ..."], count: int) -> Shaped[Array, "count ..."]:
        """Selects the draws of this slice's `count` examples from those of the global batch."""
        return jax.lax.dynamic_slice_in_dim(draws, self.start, count)


def key_for(key: Key[Array, ""], name: str) -> Key[Array, ""]:
    """Derives the key of one augmentation; adding another augmentation does not change it."""
    return jax.random.fold_in(key, np.uint32(zlib.crc32(name.encode())))
