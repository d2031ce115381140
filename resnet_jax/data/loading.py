"""Opening a dataset by its config."""

import math

from ml_collections import ConfigDict

from resnet_jax.data import digits, normalization, synthetic
from resnet_jax.data.catalog import DIGITS, SYNTHETIC
from resnet_jax.data.dataset import Dataset, Sampling, Shard
from resnet_jax.data.in_memory import Examples, decode_all, in_memory
from resnet_jax.data.streaming import Streaming
from resnet_jax.data.tfds.prepare import locate
from resnet_jax.data.tfds.source import Source, open_split
from resnet_jax.errors import UserError

IN_MEMORY_BYTES = 2**30
"""Sets of up to this size, decoded, are kept on the device."""


def load(
    config: ConfigDict,
    *,
    batch_size: int,
    eval_batch_size: int,
    seed: int,
    shard: Shard = Shard(),  # noqa: B008, it is frozen
) -> Dataset:
    """Opens a dataset.

    Small sets with one image shape are decoded at once and kept on the device. Larger ones, and
    those with an `image_size`, are streamed: read and decoded during training.

    Args:
      config: the settings under `data` (see `resnet_jax.training.config.base`).
      batch_size: global training batch size, over all processes.
      eval_batch_size: global evaluation batch size.
      seed: determines the order of the examples, and random resized crops.
      shard: the part of each batch that this process loads.

    Raises:
      UserError: the set does not exist, is not prepared or is corrupt, or the settings are invalid
        for it.
    """
    sampling = Sampling(seed, batch_size, eval_batch_size, shard)
    if config.name in _BUILT_IN:
        return _in_memory(config, *_BUILT_IN[config.name](config), sampling)
    train, test = _open(config)
    if config.image_size == 0 and 0 in train.shape:
        raise UserError(
            f"the images of {config.name!r} differ in size: set data.image_size, to 224 for example"
        )
    if config.image_size == 0 and _decoded_bytes(train) + _decoded_bytes(test) <= IN_MEMORY_BYTES:
        examples = decode_all(train), decode_all(test)
        return _in_memory(config, *examples, train.num_classes, sampling)
    return _streaming(config, train, test, sampling)


def _open(config: ConfigDict) -> tuple[Source, Source]:
    """The training and the test split of a prepared set."""
    prepared = locate(config.name, config.data_dir)
    train = (config.train_split,) if config.train_split else ("train",)
    test = (config.test_split,) if config.test_split else _test_splits(config.name)
    keys = config.image_key, config.label_key
    return open_split(prepared, train, *keys), open_split(prepared, test, *keys)


def _test_splits(name: str) -> tuple[str, ...]:
    """The splits to test on, in order of preference."""
    # The labels of ImageNet's test split were never published.
    return ("validation",) if name.startswith("imagenet2012") else ("test", "validation")


def _decoded_bytes(source: Source) -> int:
    return math.prod(source.shape) * len(source)


def _digits(config: ConfigDict) -> tuple[Examples, Examples, int]:
    if config.image_size:
        raise UserError("data.image_size must be 0 for the digits, whose images are 8x8 as stored")
    for key, name in ((config.image_key, "image"), (config.label_key, "label")):
        if key not in ("", name):
            raise UserError(f"the digits have no {name} {key!r}: leave data.{name}_key empty")
    train, test = config.train_split or "train", config.test_split or "test"
    return digits.examples(train), digits.examples(test), digits.NUM_CLASSES


def _synthetic(config: ConfigDict) -> tuple[Examples, Examples, int]:
    shape, classes = config.synthetic.shape, config.synthetic.classes
    sizes = config.synthetic.num_train, config.synthetic.num_test
    if len(shape) != 3 or min(*shape, classes, *sizes) < 1:
        raise UserError(
            "data.synthetic requires shape = (height, width, channels), classes, num_train and "
            f"num_test, each at least 1, not {config.synthetic.to_dict()}"
        )
    return *synthetic.examples(shape, classes, *sizes), classes


_BUILT_IN = {DIGITS: _digits, SYNTHETIC: _synthetic}


def _in_memory(
    config: ConfigDict, train: Examples, test: Examples, num_classes: int, sampling: Sampling
) -> Dataset:
    return in_memory(
        config.name,
        train,
        test,
        num_classes=num_classes,
        normalize=config.normalize,
        sampling=sampling,
    )


def _streaming(config: ConfigDict, train: Source, test: Source, sampling: Sampling) -> Dataset:
    height, width, channels = train.shape
    mean, std = normalization.imagenet_moments(config.normalize, channels)
    return Streaming(
        name=config.name,
        num_classes=train.num_classes,
        image_shape=(config.image_size or height, config.image_size or width, channels),
        num_train=len(train),
        num_test=len(test),
        mean=mean,
        std=std,
        sampling=sampling,
        sources={"train": train, "test": test},
        image_size=config.image_size,
        workers=config.workers,
    )
