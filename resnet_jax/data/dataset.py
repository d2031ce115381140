"""What a dataset is to those who train on it: facts, and batches as functions of the step."""

import abc
import dataclasses
from collections.abc import Iterator
from typing import Literal, NotRequired, TypedDict

import jax
import numpy as np
from jaxtyping import Float, Int, UInt8

Array = jax.Array | np.ndarray
Split = Literal["train", "test"]


class Batch(TypedDict):
    """Images and labels; in evaluation also which of them count.

    Attributes:
      image: pixel values as stored, 0 to 255.
      label: the class of each image, from 0.
      mask: 1 for an example, 0 for padding; only in evaluation batches.
    """

    image: UInt8[Array, "b h w c"]
    label: Int[Array, " b"]
    mask: NotRequired[Float[Array, " b"]]


@dataclasses.dataclass(frozen=True)
class Shard:
    """The part of every batch that one process loads: its `index`-th of `count` equal parts."""

    index: int = 0
    count: int = 1

    def of(self, size: int) -> range:
        """Its rows of a batch of `size` examples, which `count` divides."""
        rows = size // self.count
        return range(self.index * rows, (self.index + 1) * rows)


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How examples are put into batches.

    Attributes:
      seed: what the order of the examples, and their crops, follow from.
      batch_size: examples in a training batch, over all processes.
      eval_batch_size: examples in an evaluation batch, over all processes.
      shard: the part of each batch that this process loads.
    """

    seed: int
    batch_size: int
    eval_batch_size: int
    shard: Shard = Shard()


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset(abc.ABC):
    """A labelled set of images with a training and a test split.

    Attributes:
      name: the name by which it was loaded.
      num_classes: labels are 0 to `num_classes - 1`.
      image_shape: (height, width, channels) of every image in a batch.
      num_train: examples in the training split.
      num_test: examples in the test split.
      mean: what to subtract from an image, in pixel values (0 to 255); float32, broadcasts to
        `image_shape`.
      std: what to divide by after that; float32, broadcasts to `image_shape`, nowhere zero.
      sampling: how its examples are put into batches.
    """

    name: str
    num_classes: int
    image_shape: tuple[int, int, int]
    num_train: int
    num_test: int
    mean: Float[np.ndarray, "..."]
    std: Float[np.ndarray, "..."]
    sampling: Sampling

    @abc.abstractmethod
    def train_batch(self, step: int) -> Batch:
        """This process's part of the batch of one step; the batch follows from (seed, step)."""

    @abc.abstractmethod
    def train_batches(self, start_step: int = 0) -> Iterator[Batch]:
        """The same of `start_step`, `start_step + 1`, ... without end."""

    @abc.abstractmethod
    def eval_batches(self, split: Split) -> Iterator[Batch]:
        """Every example of a split once, in stored order, with `mask`: this process's part.

        All batches have the same size, and all processes as many of them; the last is filled up
        with zeros that `mask` excludes.
        """
