"""Sets that are small enough to live on the device, as uint8."""

import dataclasses
import functools
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int, UInt8

from resnet_jax.data import order
from resnet_jax.data.dataset import Array, Batch, Dataset, Sampling, Split
from resnet_jax.data.normalization import Normalization, moments
from resnet_jax.data.tfds.source import Source


class Examples(NamedTuple):
    """The decoded examples of a split."""

    images: UInt8[Array, "n h w c"]
    labels: Int[Array, " n"]


@functools.lru_cache(maxsize=4)  # a grid of experiments loads the same set for each run
def decode_all(source: Source) -> Examples:
    """Reads and decodes a split whose images all have the same shape.

    Raises:
      UserError: an example is corrupt, or has another shape.
    """
    images = np.empty((len(source), *source.shape), np.uint8)
    labels = np.empty(len(source), np.int32)
    for index in range(len(source)):
        images[index], labels[index] = source.array(index)
    return Examples(images, labels)


@jax.jit
def _take(examples: Examples, indices: Int[Array, " b"]) -> Batch:
    """The examples at the indices; an index past the end gives zeros with mask 0."""
    images = jnp.take(examples.images, indices, axis=0, mode="fill", fill_value=0)
    labels = jnp.take(examples.labels, indices, mode="fill", fill_value=0)
    mask = (indices < len(examples.labels)).astype(jnp.float32)
    return {"image": images, "label": labels, "mask": mask}


@dataclasses.dataclass(frozen=True, eq=False)
class InMemory(Dataset):
    """A dataset on the device, where batches are gathered by indices that the host computes."""

    splits: dict[Split, Examples] = dataclasses.field(repr=False)

    def train_batch(self, step: int) -> Batch:
        seed, batch_size = self.sampling.seed, self.sampling.batch_size
        rows = self.sampling.shard.of(batch_size)
        indices = order.batch(seed, step, batch_size, self.num_train)[rows.start : rows.stop]
        batch = _take(self.splits["train"], indices)
        return {"image": batch["image"], "label": batch["label"]}

    def train_batches(self, start_step: int = 0) -> Iterator[Batch]:
        return map(self.train_batch, itertools.count(start_step))

    def eval_batches(self, split: Split) -> Iterator[Batch]:
        examples, size = self.splits[split], self.sampling.eval_batch_size
        rows = self.sampling.shard.of(size)
        for start in range(0, len(examples.labels), size):
            indices = np.arange(start + rows.start, start + rows.stop, dtype=np.int32)
            yield _take(examples, indices)


def in_memory(
    name: str,
    train: Examples,
    test: Examples,
    *,
    num_classes: int,
    normalize: Normalization,
    sampling: Sampling,
) -> InMemory:
    """Puts both splits on the default device.

    Args:
      name: the name of the set.
      train: the training split.
      test: the test split, with images of the same shape.
      num_classes: labels are 0 to `num_classes - 1`.
      normalize: which statistics of the training split `mean` and `std` are.
      sampling: how examples are drawn into batches.
    """
    mean, std = moments(np.asarray(train.images), normalize)
    _, height, width, channels = train.images.shape
    return InMemory(
        name=name,
        num_classes=num_classes,
        image_shape=(height, width, channels),
        num_train=len(train.labels),
        num_test=len(test.labels),
        mean=mean,
        std=std,
        sampling=sampling,
        splits={"train": _on_device(train), "test": _on_device(test)},
    )


def _on_device(examples: Examples) -> Examples:
    return Examples(jnp.asarray(examples.images), jnp.asarray(examples.labels, jnp.int32))
