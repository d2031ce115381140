"""From settings to a dataset."""

import math

from ml_collections import ConfigDict

from resnet_jax.data import decoded, normalization, synthetic
from resnet_jax.data.dataset import Dataset, Sampling, Shard
from resnet_jax.data.in_memory import in_memory
from resnet_jax.data.streaming import Streaming
from resnet_jax.data.tfds.prepare import locate
from resnet_jax.data.tfds.source import Source, open_split
from resnet_jax.errors import UserError

# Sets of up to this size, decoded, live on the device.
IN_MEMORY_BYTES = 2**30


def load(
    config: ConfigDict,
    *,
    batch_size: int,
    eval_batch_size: int,
    seed: int,
    shard: Shard = Shard(),  # noqa: B008, it is frozen
) -> Dataset:
    """Opens a dataset by its settings.

    Small sets of one image size are decoded at once and live on the device; larger ones, and any
    with an `image_size`, are read and decoded while the network trains.

    Args:
      config: the settings under `data` (see `resnet_jax.training.config.base`).
      batch_size: examples in a training batch, over all processes.
      eval_batch_size: examples in an evaluation batch, over all processes.
      shard: the part of each batch that this process loads.
      seed: what the order of the examples, and their crops, follow from.

    Raises:
      UserError: the set does not exist, is not prepared or is damaged, or the settings do not fit.
    """
    sampling = Sampling(seed, batch_size, eval_batch_size, shard)
    if config.name == synthetic.NAME:
        return _synthetic(config, sampling)
    train, test = _open(config)
    if config.image_size == 0 and 0 in train.shape:
        raise UserError(
            f"the images of {config.name!r} differ in size: set data.image_size, to 224 for example"
        )
    if config.image_size == 0 and _decoded_bytes(train) + _decoded_bytes(test) <= IN_MEMORY_BYTES:
        return in_memory(
            config.name,
            decoded.examples(train),
            decoded.examples(test),
            num_classes=train.num_classes,
            normalize=config.normalize,
            sampling=sampling,
        )
    return _streaming(config, train, test, sampling)


def _open(config: ConfigDict) -> tuple[Source, Source]:
    """The training and the test split of a prepared set."""
    prepared = locate(config.name, config.data_dir)
    train = (config.train_split,) if config.train_split else ("train",)
    test = (config.test_split,) if config.test_split else _test_splits(config.name)
    keys = config.image_key, config.label_key
    return open_split(prepared, train, *keys), open_split(prepared, test, *keys)


def _test_splits(name: str) -> tuple[str, ...]:
    """The splits to test on, the first that there is."""
    # ImageNet's test split is prepared as well, but its labels were never published.
    return ("validation",) if name.startswith("imagenet2012") else ("test", "validation")


def _decoded_bytes(source: Source) -> int:
    return math.prod(source.shape) * len(source)


def _synthetic(config: ConfigDict, sampling: Sampling) -> Dataset:
    shape, classes = config.synthetic.shape, config.synthetic.classes
    sizes = config.synthetic.num_train, config.synthetic.num_test
    if len(shape) != 3 or min(*shape, classes, *sizes) < 1:
        raise UserError(
            "data.synthetic takes shape = (height, width, channels), classes, num_train and "
            f"num_test, each 1 or more, not {config.synthetic.to_dict()}"
        )
    train, test = synthetic.examples(shape, classes, *sizes)
    return in_memory(
        config.name,
        train,
        test,
        num_classes=classes,
        normalize=config.normalize,
        sampling=sampling,
    )


def _streaming(config: ConfigDict, train: Source, test: Source, sampling: Sampling) -> Dataset:
    height, width, channels = train.shape
    mean, std = normalization.photographs(config.normalize, channels)
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
