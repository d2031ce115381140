"""Random access to the labeled images of a prepared TFDS set, without TensorFlow."""

import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from resnet_jax.data import image_ops
from resnet_jax.data.tfds.prepare import PreparedSet
from resnet_jax.errors import UserError, did_you_mean, one_line


@dataclasses.dataclass(frozen=True)
class Source:
    """The examples of a split: `source[i]` is (image, label), decoded at each access.

    It can be pickled and sent to a worker process, which opens the files for itself.

    Attributes:
      prepared: the set.
      split: the split, or a slice of one.
      image_key: the feature that holds the image.
      label_key: the feature that holds the label.
      shape: (height, width, channels); height and width are 0 if they differ between images.
      num_classes: labels are 0 to `num_classes - 1`.
      size: number of examples.
    """

    prepared: PreparedSet
    split: str
    image_key: str
    label_key: str
    shape: tuple[int, int, int]
    num_classes: int
    size: int

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        with _reading(self.prepared):
            record = self._records[index]
            label = int(record[self.label_key])
            image = image_ops.decode(record[self.image_key], self.shape[-1])
        if not 0 <= label < self.num_classes:
            raise UserError(
                f"split {self.split!r} of {self.prepared.name!r} is not labeled (example {index} "
                f"has label {label}): set data.train_split or data.test_split to another"
            )
        return image, label

    def array(self, index: int) -> tuple[UInt8[np.ndarray, "h w c"], int]:
        """The pixels and the label of an example of a set with one image shape.

        Raises:
          UserError: the example is corrupt, or has another shape.
        """
        image, label = self[index]
        array = image_ops.to_array(image)
        if array.shape != self.shape:
            raise UserError(
                f"{self.prepared} holds an image of shape {array.shape} instead of {self.shape}: "
                f"{self.prepared.remedy}"
            )
        return array, label

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
    prepared: PreparedSet, splits: tuple[str, ...], image_key: str = "", label_key: str = ""
) -> Source:
    """Opens a split of a prepared set and checks that its files are complete.

    Args:
      prepared: the set.
      splits: the first of these that the set has is opened; "train[:45000]" is a slice of one.
      image_key: the feature that holds the image; "" for the only image feature, or if there are
        several, the one among TFDS's `supervised_keys`.
      label_key: the feature that holds the label; "" likewise. CIFAR-100 has two class labels.

    Raises:
      UserError: the set has no such split or feature, has another file format, or its files are
        missing or corrupt.
    """
    import tensorflow_datasets as tfds

    with _reading(prepared):
        info = tfds.builder_from_directory(prepared.folder).info
        features = dict(info.features)
    _require_random_access(prepared, info)
    split = _choose_split(prepared, info, splits)
    supervised = [key for key in info.supervised_keys or () if isinstance(key, str)]
    image_key = _choose_feature(
        prepared, features, tfds.features.Image, image_key, "image", supervised
    )
    label_key = _choose_feature(
        prepared, features, tfds.features.ClassLabel, label_key, "label", supervised
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


def _require_random_access(prepared: PreparedSet, info: Any) -> None:
    stored_as = info.file_format.value if info.file_format else "an unknown format"
    if stored_as != "array_record":
        raise UserError(
            f"{prepared} is stored as {stored_as}, which has no random access: {prepared.remedy}"
        )


def _choose_split(prepared: PreparedSet, info: Any, splits: tuple[str, ...]) -> str:
    """The first of the splits that the set has, which must be complete and not empty."""
    for split in splits:
        whole = split.partition("[")[0]
        if whole in info.splits:
            _check_files(prepared, info.splits[whole])
            if _size(info, split):
                return split
            raise UserError(f"split {split!r} of {prepared.name!r} holds no examples")
    raise UserError(
        f"{prepared.name!r} has no split {splits[0]!r}: {did_you_mean(splits[0], info.splits)}"
    )


def _size(info: Any, split: str) -> int:
    """Number of examples of a split or a slice of one; 0 if TFDS cannot parse it."""
    try:
        return info.splits[split].num_examples
    except (ValueError, AssertionError):
        return 0


def _choose_feature(
    prepared: PreparedSet,
    features: dict[str, Any],
    kind: type,
    key: str,
    what: str,
    supervised: list[str],
) -> str:
    """The feature `key`, or the only one of its kind, or the only supervised one of its kind."""
    known = sorted(name for name, feature in features.items() if isinstance(feature, kind))
    if not known:
        raise UserError(
            f"{prepared.name!r} is not an image classification set: none of its features "
            f"({', '.join(sorted(features))}) is a {what}"
        )
    if key and key not in known:
        raise UserError(f"{prepared.name!r} has no {what} {key!r}: {did_you_mean(key, known)}")
    default = known if len(known) == 1 else [name for name in known if name in supervised]
    if not key and len(default) != 1:
        raise UserError(
            f"{prepared.name!r} has {len(known)} features of kind {what!r}; set "
            f"data.{what}_key to one of {', '.join(known)}"
        )
    return key or default[0]


def _image_shape(prepared: PreparedSet, image: Any) -> tuple[int, int, int]:
    (height, width, channels), dtype = image.shape, np.dtype(image.np_dtype)
    if channels not in image_ops.CHANNELS or dtype != np.uint8:
        raise UserError(
            f"{prepared.name!r} has images of {channels} channels of {dtype}; supported are "
            "uint8 images of 1, 3 or 4 channels"
        )
    return height or 0, width or 0, channels


def _check_files(prepared: PreparedSet, split: Any) -> None:
    """Compares the number of records in each file of a split to what it should be.

    The reader opens a corrupt file without an error, as one with no records, and may even return
    records without content. Opening, counting and closing a file does raise.

    Args:
      prepared: the set.
      split: TFDS's `SplitInfo`.

    Raises:
      UserError: a file is missing or corrupt.
    """
    for path, expected in zip(split.filepaths, split.shard_lengths, strict=True):
        if not os.path.exists(path):
            raise UserError(f"{prepared} lacks the file {path.name}: {prepared.remedy}")
        with _reading(prepared):
            found = _num_records(path)
        if found != expected:
            raise UserError(
                f"{path.name} of {prepared} is corrupt: it holds {found} examples instead of "
                f"{expected}: {prepared.remedy}"
            )


def _num_records(path: os.PathLike[str]) -> int:
    from array_record.python.array_record_module import ArrayRecordReader

    reader = ArrayRecordReader(os.fspath(path))
    count = reader.num_records()
    reader.close()  # raises errors that opening and counting did not
    return count


@contextlib.contextmanager
def _reading(prepared: PreparedSet) -> Iterator[None]:
    """Turns any error while a set's files are read into a `UserError` that names the set.

    The readers are written in C++ and raise various errors for a truncated or overwritten file.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{prepared} cannot be read ({one_line(error)}): {prepared.remedy}"
        ) from error
