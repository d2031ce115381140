"""Which examples of a batch are in hand, and the draws that belong to them."""

import zlib
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Int, Key, Shaped


class Rows(NamedTuple):
    """Which rows of the whole batch are in hand, where replicas have a part of it each.

    Attributes:
      first: the number of the first one.
      whole: examples in the whole batch.
    """

    first: Int[Array, ""] | int
    whole: int

    def of(self, draws: Shaped[Array, "whole ..."], count: int) -> Shaped[Array, "count ..."]:
        """The draws of the rows in hand, from those of the whole batch."""
        return jax.lax.dynamic_slice_in_dim(draws, self.first, count)


def key_for(key: Key[Array, ""], name: str) -> Key[Array, ""]:
    """The key of one kind of draw, so that to draw more of another kind changes none of it."""
    return jax.random.fold_in(key, np.uint32(zlib.crc32(name.encode())))
