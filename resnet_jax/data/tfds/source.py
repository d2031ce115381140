"""Labelled images of a prepared TFDS set, by random access and without TensorFlow."""

import dataclasses
import functools
from typing import Any

import numpy as np

from resnet_jax.data.tfds.damage import damaged
from resnet_jax.data.tfds.folders import Prepared
from resnet_jax.data.tfds.shards import check_shards
from resnet_jax.errors import UserError, did_you_mean

_CHANNELS = (1, 3, 4)


@dataclasses.dataclass(frozen=True)
class Source:
    """Encoded images and labels of one split: `source[i]` is (bytes, label).

    It can be pickled and sent to a worker process, which opens the files for itself.

    Attributes:
      prepared: the set.
      split: the name of the split in the set.
      image_key: the feature that holds the image.
      label_key: the feature that holds the label.
      shape: (height, width, channels); height and width are 0 where images differ in them.
      num_classes: labels are below it.
      size: how many examples there are.
    """

    prepared: Prepared
    split: str
    image_key: str
    label_key: str
    shape: tuple[int, int, int]
    num_classes: int
    size: int

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> tuple[bytes, int]:
        with damaged(self.prepared):
            record = self._records[index]
            encoded, label = record[self.image_key], int(record[self.label_key])
        if not 0 <= label < self.num_classes:
            raise UserError(
                f"split {self.split!r} of {self.prepared.name!r} is not labelled (example {index} "
                f"says {label}): choose another by data.train_split or data.test_split"
            )
        return encoded, label

    @functools.cached_property
    def _records(self) -> Any:
        import tensorflow_datasets as tfds

        builder = tfds.builder_from_directory(self.prepared.folder)
        decoders = {self.image_key: tfds.decode.SkipDecoding()}
        return builder.as_data_source(self.split, decoders=decoders)

    def __getstate__(self) -> dict[str, Any]:
        """The fields without the open files."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def open_split(
    prepared: Prepared, splits: tuple[str, ...], image_key: str = "", label_key: str = ""
) -> Source:
    """Opens a split of a prepared set and checks that its files are whole.

    Args:
      prepared: the set.
      splits: the first of these that the set has is taken; "train[:45000]" is a part of one.
      image_key: the feature that holds the image; "" for the set's only image, or of several the
        one that the set itself trains on (TFDS's `supervised_keys`).
      label_key: the feature that holds the label; "" likewise. CIFAR-100 has two class labels.

    Raises:
      UserError: the set has no such split or feature, is in another file format, or files of it
        are missing, cut short or not what they should be.
    """
    import tensorflow_datasets as tfds

    with damaged(prepared):
        info = tfds.builder_from_directory(prepared.folder).info
        features = dict(info.features)
    _check_format(prepared, info)
    split = _choose_split(prepared, info, splits)
    own = [key for key in info.supervised_keys or () if isinstance(key, str)]
    image_key = _choose_feature(prepared, features, tfds.features.Image, image_key, "image", own)
    label_key = _choose_feature(
        prepared, features, tfds.features.ClassLabel, label_key, "label", own
    )
    return Source(
        prepared=prepared,
        split=split,
        image_key=image_key,
        label_key=label_key,
        shape=_image_shape(prepared, features[image_key]),
        num_classes=features[label_key].num_classes,
        size=info.splits[split].num_examples,
    )


def _check_format(prepared: Prepared, info: Any) -> None:
    stored_as = info.file_format.value if info.file_format else "an unknown format"
    if stored_as != "array_record":
        raise UserError(
            f"{prepared.name!r} in {prepared.folder} is stored as {stored_as}, which has no random "
            f"access: {prepared.again}"
        )


def _choose_split(prepared: Prepared, info: Any, splits: tuple[str, ...]) -> str:
    """The first of the splits that the set has, found whole and not empty."""
    for split in splits:
        whole = split.partition("[")[0]
        if whole in info.splits:
            check_shards(prepared, info.splits[whole])
            if _size(info, split):
                return split
            raise UserError(f"split {split!r} of {prepared.name!r} holds no examples")
    raise UserError(
        f"{prepared.name!r} has no split {splits[0]!r}: {did_you_mean(splits[0], info.splits)}"
    )


def _size(info: Any, split: str) -> int:
    """How many examples a split, or a part of one, holds; 0 if it is not well written."""
    try:
        return info.splits[split].num_examples
    except (ValueError, AssertionError):
        return 0


def _choose_feature(
    prepared: Prepared, features: dict[str, Any], kind: type, key: str, what: str, own: list[str]
) -> str:
    """The feature that the settings name, or the one of its kind, or of several the set's own."""
    known = sorted(name for name, feature in features.items() if isinstance(feature, kind))
    if not known:
        raise UserError(
            f"{prepared.name!r} is no set for image classification: among its features "
            f"({', '.join(sorted(features))}) is no {what}"
        )
    if key and key not in known:
        raise UserError(f"{prepared.name!r} has no {what} {key!r}: {did_you_mean(key, known)}")
    usual = known if len(known) == 1 else [name for name in known if name in own]
    if not key and len(usual) != 1:
        raise UserError(
            f"{prepared.name!r} has {len(known)} features of the kind {what!r}; set "
            f"data.{what}_key to one of {', '.join(known)}"
        )
    return key or usual[0]


def _image_shape(prepared: Prepared, image: Any) -> tuple[int, int, int]:
    (height, width, channels), dtype = image.shape, np.dtype(image.np_dtype)
    if channels not in _CHANNELS or dtype != np.uint8:
        raise UserError(
            f"{prepared.name!r} has images of {channels} channels of {dtype}; what can be read is "
            "uint8 of 1, 3 or 4 channels"
        )
    return height or 0, width or 0, channels
