"""The interface of a dataset: its facts, and batches as functions of the step."""

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
    """Images and labels; in evaluation, also a mask.

    Attributes:
      image: pixel values as stored, 0 to 255.
      label: class of each image, from 0.
      mask: 1 for an example, 0 for padding; only in evaluation batches.
    """

    image: UInt8[Array, "b h w c"]
    label: Int[Array, " b"]
    mask: NotRequired[Float[Array, " b"]]


@dataclasses.dataclass(frozen=True)
class Shard:
    """The part of every batch that one process loads: part `index` of `count` equal ones."""

    index: int = 0
    count: int = 1

    def of(self, size: int) -> range:
        """The rows of this shard in a batch of `size` examples, a multiple of `count`."""
        rows = size // self.count
        return range(self.index * rows, (self.index + 1) * rows)


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How examples are drawn into batches.

    Attributes:
      seed: determines the order of the examples, and random resized crops.
      batch_size: global training batch size, over all processes.
      eval_batch_size: global evaluation batch size.
      shard: the part of each batch that this process loads.
    """

    seed: int
    batch_size: int
    eval_batch_size: int
    shard: Shard = Shard()


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset(abc.ABC):
    """A labeled set of images with a training and a test split.

    Attributes:
      name: the name it was loaded by.
      num_classes: labels are 0 to `num_classes - 1`.
      image_shape: (height, width, channels) of the images in a batch.
      num_train: examples in the training split.
      num_test: examples in the test split.
      mean: subtracted from images for normalization; in pixel values (0 to 255), float32,
        broadcasts to `image_shape`.
      std: divides images after that; in pixel values, float32, broadcasts to `image_shape`,
        positive.
      sampling: how examples are drawn into batches.
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
        """This process's part of the training batch of a step, a function of (seed, step)."""

    @abc.abstractmethod
    def train_batches(self, start_step: int = 0) -> Iterator[Batch]:
        """`train_batch` of `start_step`, `start_step + 1`, ..., without end."""

    @abc.abstractmethod
    def eval_batches(self, split: Split) -> Iterator[Batch]:
        """This process's part of batches with every example of a split once, in stored order.

        All batches have the same size, and all processes the same number of batches. The last
        ones are padded with zeros, which `mask` excludes.
        """
