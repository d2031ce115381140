"""Batches of noise with the shapes and sizes of a data set that need not be prepared.

The cost of a training run depends on these alone, so it can be measured without the data.
"""

import dataclasses
import itertools
from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from resnet_jax.data.catalog import CATALOG, SYNTHETIC, SetInfo
from resnet_jax.data.dataset import Batch, Dataset, Sampling, Split
from resnet_jax.data.splits import parse_split
from resnet_jax.data.tfds.prepare import locate
from resnet_jax.data.tfds.source import open_split
from resnet_jax.errors import UserError


def set_info(config: ConfigDict) -> SetInfo:
    """Shape and sizes of a set as the network sees it, with its `train_split` and `image_size`.

    Args:
      config: the settings under `data`. A set that is not in the catalog must be prepared.

    Raises:
      UserError: the set is neither in the catalog nor prepared, or its images differ in size and
        `image_size` is not set.
    """
    if config.name == SYNTHETIC:
        settings = config.synthetic
        sizes = settings.num_train, settings.num_test
        return SetInfo(tuple(settings.shape), settings.classes, *sizes)
    known = CATALOG.get(config.name)
    found = _sliced(known, config.train_split) if known else _prepared(config)
    height, width, channels = found.image_shape
    if not config.image_size and not (height and width):
        raise UserError(
            f"the images of {config.name!r} differ in size: set data.image_size, to 224 for example"
        )
    shape = (config.image_size or height, config.image_size or width, channels)
    return dataclasses.replace(found, image_shape=shape)


def _prepared(config: ConfigDict) -> SetInfo:
    prepared = locate(config.name, config.data_dir)
    keys = config.image_key, config.label_key
    train = open_split(prepared, (config.train_split or "train",), *keys)
    return SetInfo(train.shape, train.num_classes, train.size, num_test=0)


def _sliced(info: SetInfo, split: str) -> SetInfo:
    """`info` with the size of a slice of the training split; unchanged for other expressions."""
    parsed = parse_split(split, {"train": info.num_train})
    return dataclasses.replace(info, num_train=len(parsed[1])) if parsed else info


@dataclasses.dataclass(frozen=True, eq=False)
class FakeDataset(Dataset):
    """A dataset whose batches are noise, with random labels, and which has no test examples."""

    def train_batch(self, step: int) -> Batch:
        rng = np.random.default_rng([self.sampling.seed, step])
        size = (self.sampling.batch_size, *self.image_shape)
        labels = rng.integers(self.num_classes, size=self.sampling.batch_size, dtype=np.int32)
        images = rng.integers(256, size=size, dtype=np.uint8)
        return {"image": jnp.asarray(images), "label": jnp.asarray(labels)}

    def train_batches(self, start_step: int = 0) -> Iterator[Batch]:
        return map(self.train_batch, itertools.count(start_step))

    def eval_batches(self, split: Split) -> Iterator[Batch]:
        return iter(())


def fake(config: ConfigDict, sampling: Sampling) -> FakeDataset:
    """The fake of a set.

    Args:
      config: the settings under `data`.
      sampling: how examples are drawn into batches.

    Raises:
      UserError: as `set_info`.
    """
    info = set_info(config)
    return FakeDataset(
        name=config.name,
        num_classes=info.num_classes,
        image_shape=info.image_shape,
        num_train=info.num_train,
        num_test=info.num_test,
        mean=np.full(1, 128, np.float32),
        std=np.full(1, 64, np.float32),
        sampling=sampling,
    )
