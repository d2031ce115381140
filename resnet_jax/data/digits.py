"""The digits: 1,797 real 8x8 images of handwritten digits that come with scikit-learn.

They are the test set of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998, UCI
Machine Learning Repository). They need no download, and a residual network trains on them in
seconds.

Pixels: the stored values 0..16 are scaled to 0..255 by rounding `value * 255 / 16`.

Split: the examples are sorted by label, stably, and every fifth from the first on is for testing.
This leaves 1,437 for training and 360 for testing, with a fifth of each class, to within one
example, among the latter. Both splits are in scikit-learn's order. No random number is involved.
"""

import functools

import numpy as np
from jaxtyping import Bool, Int

from resnet_jax.data.in_memory import Examples
from resnet_jax.data.splits import parse_split
from resnet_jax.errors import UserError

NUM_CLASSES = 10
_TEST_EVERY = 5


def examples(split: str) -> Examples:
    """The examples of a split or of a slice of one.

    Args:
      split: "train", "test" or a slice such as "train[:1000]" or "train[90%:]".

    Raises:
      UserError: the split has another form, or is empty.
    """
    splits = _splits()
    parsed = parse_split(split, {name: len(each.labels) for name, each in splits.items()})
    if not parsed or not parsed[1]:
        raise UserError(
            f"the digits have no split {split!r}: write train (1437 examples), test (360), or a "
            "non-empty slice of one, such as train[:1000] or train[90%:]"
        )
    name, indices = parsed
    images, labels = splits[name]
    return Examples(images[indices.start : indices.stop], labels[indices.start : indices.stop])


@functools.cache  # a grid loads them for each run
def _splits() -> dict[str, Examples]:
    from sklearn.datasets import load_digits  # imports pandas and scipy, which takes a second

    values, labels = load_digits(return_X_y=True)
    # round(v * 255 / 16) in integers: 8 is half of the divisor.
    pixels = ((values.astype(np.int64) * 255 + 8) // 16).astype(np.uint8)
    images, labels = pixels.reshape(-1, 8, 8, 1), labels.astype(np.int32)
    test = is_test(labels)
    return {
        "train": Examples(images[~test], labels[~test]),
        "test": Examples(images[test], labels[test]),
    }


def is_test(labels: Int[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Which examples are for testing: every fifth in the order of the labels.

    Args:
      labels: the class of each example, in scikit-learn's order.
    """
    members = np.zeros(len(labels), bool)
    members[np.argsort(labels, kind="stable")[::_TEST_EVERY]] = True
    return members
