"""A stand-in for a set that is not there: its shape and sizes, and noise for images.

What a training costs follows from these alone, so that it can be told on a machine without data.
"""

import dataclasses
import re
from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from resnet_jax.data import synthetic
from resnet_jax.data.dataset import Batch, Dataset, Sampling, Split
from resnet_jax.data.tfds.prepare import locate
from resnet_jax.data.tfds.source import open_split
from resnet_jax.errors import UserError

_PART = re.compile(r"\w+\[(-?\d+%?)?:(-?\d+%?)?\]")


@dataclasses.dataclass(frozen=True)
class Facts:
    """What is known of a set before it is prepared.

    Attributes:
      shape: (height, width, channels); height and width are 0 where images differ in them.
      classes: labels are below it.
      train: examples in the training split.
      test: examples in the split that is tested on.
    """

    shape: tuple[int, int, int]
    classes: int
    train: int
    test: int


KNOWN = {
    "digits": Facts((8, 8, 1), 10, 1_437, 360),
    "cifar10": Facts((32, 32, 3), 10, 50_000, 10_000),
    "cifar100": Facts((32, 32, 3), 100, 50_000, 10_000),
    "mnist": Facts((28, 28, 1), 10, 60_000, 10_000),
    "fashion_mnist": Facts((28, 28, 1), 10, 60_000, 10_000),
    "svhn_cropped": Facts((32, 32, 3), 10, 73_257, 26_032),
    "imagenette": Facts((0, 0, 3), 10, 9_469, 3_925),
    "imagenet2012": Facts((0, 0, 3), 1_000, 1_281_167, 50_000),
}


def facts(data: ConfigDict) -> Facts:
    """The facts of a set with its images as they come to the network.

    Args:
      data: the settings under `data`; of a set that is not in `KNOWN`, files are looked at.

    Raises:
      UserError: the set is neither known nor prepared, or its images differ in size and no size is
        set.
    """
    if data.name == synthetic.NAME:
        made = data.synthetic
        return Facts(tuple(made.shape), made.classes, made.num_train, made.num_test)
    known = KNOWN.get(data.name)
    found = _part(known, data.train_split) if known else _prepared(data)
    height, width, channels = found.shape
    if not data.image_size and not (height and width):
        raise UserError(
            f"the images of {data.name!r} differ in size: set data.image_size, to 224 for example"
        )
    shape = (data.image_size or height, data.image_size or width, channels)
    return dataclasses.replace(found, shape=shape)


def _prepared(data: ConfigDict) -> Facts:
    prepared = locate(data.name, data.data_dir)
    keys = data.image_key, data.label_key
    train = open_split(prepared, (data.train_split or "train",), *keys)
    return Facts(train.shape, train.num_classes, train.size, 0)


def _part(known: Facts, split: str) -> Facts:
    """The facts with the part of the training split that `train[:45000]` or `train[90%:]` is."""
    match = _PART.fullmatch(split)
    if not match:
        return known
    ends = [
        (round(int(end[:-1]) * known.train / 100) if end.endswith("%") else int(end))
        if end
        else None
        for end in match.groups()
    ]
    return dataclasses.replace(known, train=len(range(known.train)[slice(*ends)]))


@dataclasses.dataclass(frozen=True, eq=False)
class FakeDataset(Dataset):
    """A dataset whose batches are noise."""

    def train_batch(self, step: int) -> Batch:
        """Noise, and labels that mean nothing; each step has its own."""
        rng = np.random.default_rng([self.sampling.seed, step])
        size = (self.sampling.batch_size, *self.image_shape)
        labels = rng.integers(self.num_classes, size=self.sampling.batch_size, dtype=np.int32)
        images = rng.integers(256, size=size, dtype=np.uint8)
        return {"image": jnp.asarray(images), "label": jnp.asarray(labels)}

    def train_batches(self, start_step: int = 0) -> Iterator[Batch]:
        """The same without end."""
        while True:
            yield self.train_batch(start_step)
            start_step += 1

    def eval_batches(self, split: Split) -> Iterator[Batch]:
        """None: nothing can be learnt of noise."""
        return iter(())


def fake(data: ConfigDict, sampling: Sampling) -> FakeDataset:
    """The stand-in for a set.

    Args:
      data: the settings under `data`.
      sampling: how its examples are put into batches.

    Raises:
      UserError: see `facts`.
    """
    known = facts(data)
    return FakeDataset(
        name=data.name,
        num_classes=known.classes,
        image_shape=known.shape,
        num_train=known.train,
        num_test=known.test,
        mean=np.full(1, 128, np.float32),
        std=np.full(1, 64, np.float32),
        sampling=sampling,
    )
