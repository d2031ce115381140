"""The digits: 1,797 real 8x8 images of handwritten digits that come with scikit-learn.

They are the test set of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998, UCI
Machine Learning Repository). Small as they are, they need no network to obtain, and a residual
network trains on them in seconds.

Pixels: the stored values 0..16 become 0..255 by rounding `value * 255 / 16`.

Split: sort the examples by label, keeping their stored order within a label, and take every fifth
from the first on for testing. That leaves 1,437 for training and 360 for testing, and each class
has a fifth of its examples, to within one, among the latter. No random number is involved.
"""

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from resnet_jax.errors import UserError

NAME, VERSION = "digits", "1.0.0"
_TEST_EVERY = 5


def ensure(root: Path) -> Path:
    """The folder of the prepared set under a root; prepares it there first if it is missing.

    The set is prepared in a folder of its own and moved into place whole, so a process that is
    killed midway leaves nothing that looks like a set, and of two that prepare at once, one wins
    and the other takes the winner's.

    Args:
      root: where prepared sets lie.

    Raises:
      UserError: nothing can be written there.
    """
    target = root / NAME / VERSION
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".preparing-", dir=root) as scratch:
            _prepare(Path(scratch))
            os.rename(Path(scratch) / NAME / VERSION, target)
    except OSError as error:
        if not target.is_dir():  # else another process was faster
            raise UserError(
                f"the digits cannot be prepared in {root} ({error}): set data.data_dir or the "
                "variable RESNET_JAX_CACHE to a folder that can be written"
            ) from error
    return target


def _prepare(root: Path) -> None:
    """Writes the set as TFDS does, without what TFDS prints meanwhile."""
    import tensorflow_datasets as tfds

    tfds.disable_progress_bar()
    with contextlib.redirect_stdout(io.StringIO()):
        _builder_class()(data_dir=root, file_format="array_record").download_and_prepare()


def _builder_class() -> Any:
    """The TFDS builder; a function, because its base class takes half a second to import."""
    import tensorflow_datasets as tfds

    class Digits(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
        """scikit-learn's digits as a TFDS set."""

        name = NAME
        VERSION = tfds.core.Version(VERSION)

        def _info(self) -> tfds.core.DatasetInfo:
            return tfds.core.DatasetInfo(
                builder=self,
                description=__doc__,
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(shape=(8, 8, 1), encoding_format="png"),
                        "label": tfds.features.ClassLabel(num_classes=10),
                    }
                ),
                supervised_keys=("image", "label"),
                disable_shuffling=True,
            )

        def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
            del dl_manager
            images, labels = _images_and_labels()
            is_test = test_members(labels)
            return {
                "train": self._generate_examples(images[~is_test], labels[~is_test]),
                "test": self._generate_examples(images[is_test], labels[is_test]),
            }

        def _generate_examples(
            self, images: np.ndarray, labels: np.ndarray
        ) -> Iterator[tuple[int, dict[str, Any]]]:
            # Encoded here, because to encode an array TFDS would want TensorFlow.
            for index, (image, label) in enumerate(zip(images, labels, strict=True)):
                yield index, {"image": _png(image), "label": int(label)}

    return Digits


def _images_and_labels() -> tuple[np.ndarray, np.ndarray]:
    """uint8[1797, 8, 8] and int64[1797], in scikit-learn's order."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    # In integers, round(v * 255 / 16): 8 is half of the divisor.
    return ((digits.images.astype(np.int64) * 255 + 8) // 16).astype(np.uint8), digits.target


def test_members(labels: np.ndarray) -> np.ndarray:
    """Which examples are for testing: every fifth in the order of the labels.

    Args:
      labels: the class of each example, in scikit-learn's order.

    Returns:
      bool, one for each example.
    """
    members = np.zeros(len(labels), bool)
    members[np.argsort(labels, kind="stable")[::_TEST_EVERY]] = True
    return members


def _png(image: np.ndarray) -> io.BytesIO:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    file.seek(0)
    return file
