"""Sets small enough to live on the device, whole, as uint8."""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Int, UInt8

from resnet_jax.data import order
from resnet_jax.data.dataset import Array, Batch, Dataset, Sampling, Split
from resnet_jax.data.normalization import Normalization, moments


class Examples(NamedTuple):
    """One split, decoded."""

    images: UInt8[Array, "n h w c"]
    labels: Int[Array, " n"]


@jax.jit
def _take(examples: Examples, indices: Int[Array, " b"]) -> Batch:
    """The examples at the indices; an index past the end gives zeros with mask 0."""
    images = jnp.take(examples.images, indices, axis=0, mode="fill", fill_value=0)
    labels = jnp.take(examples.labels, indices, mode="fill", fill_value=0)
    mask = (indices < len(examples.labels)).astype(jnp.float32)
    return {"image": images, "label": labels, "mask": mask}


@dataclasses.dataclass(frozen=True, eq=False)
class InMemory(Dataset):
    """A dataset whose batches are gathered on the device, from indices that the host computes."""

    splits: dict[Split, Examples] = dataclasses.field(repr=False)

    def train_batch(self, step: int) -> Batch:
        """The batch of one step."""
        seed, batch_size = self.sampling.seed, self.sampling.batch_size
        rows = self.sampling.shard.of(batch_size)
        indices = order.batch(seed, step, batch_size, self.num_train)[rows.start : rows.stop]
        batch = _take(self.splits["train"], indices)
        return {"image": batch["image"], "label": batch["label"]}

    def train_batches(self, start_step: int = 0) -> Iterator[Batch]:
        """The batches from one step on."""
        step = start_step
        while True:
            yield self.train_batch(step)
            step += 1

    def eval_batches(self, split: Split) -> Iterator[Batch]:
        """Every example of a split once, with a mask."""
        examples, size = self.splits[split], self.sampling.eval_batch_size
        for start in range(0, len(examples.labels), size):
            rows = self.sampling.shard.of(size)
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
      train: the training split, uint8 images of one shape.
      test: the test split, of the same shape.
      num_classes: labels are below it.
      normalize: which statistics of the training split `mean` and `std` are.
      sampling: how examples are put into batches.
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
