import csv
import gzip
import subprocess
import sys
from collections import defaultdict
from importlib import resources

import numpy as np
import pytest

from resnet_jax.data import digits
from resnet_jax.errors import UserError


@pytest.fixture(scope="module")
def by_definition():
    """The splits as lists of (pixels, label), from scikit-learn's file and the definition."""
    file = resources.files("sklearn") / "datasets" / "data" / "digits.csv.gz"
    with file.open("rb") as packed, gzip.open(packed, "rt") as text:
        rows = [list(map(float, row)) for row in csv.reader(text)]
    by_label = defaultdict(list)
    for index, row in enumerate(rows):
        by_label[row[-1]].append(index)
    ordered = [index for label in sorted(by_label) for index in by_label[label]]
    test = {index for place, index in enumerate(ordered) if place % 5 == 0}
    scaled = [([int(value * 255 / 16 + 0.5) for value in row[:-1]], int(row[-1])) for row in rows]
    return {
        "train": [each for index, each in enumerate(scaled) if index not in test],
        "test": [each for index, each in enumerate(scaled) if index in test],
    }


@pytest.mark.parametrize(("split", "size"), [("train", 1437), ("test", 360)])
def test_splits_are_those_of_the_definition_in_its_order(by_definition, split, size):
    images, labels = digits.examples(split)
    assert (images.shape, images.dtype, labels.dtype) == ((size, 8, 8, 1), np.uint8, np.int32)
    pixels, classes = zip(*by_definition[split], strict=True)
    np.testing.assert_array_equal(images.reshape(size, 64), pixels)
    np.testing.assert_array_equal(labels, classes)


def test_the_split_is_stratified():
    train, test = (np.bincount(digits.examples(split).labels) for split in ("train", "test"))
    assert (np.abs(test - (train + test) / 5) < 1).all()


def test_every_fifth_of_a_label_is_for_testing():
    labels = np.array([1, 0, 1, 0, 0, 1, 0])  # by label: 1 3 4 6, then 0 2 5
    assert np.flatnonzero(digits.is_test(labels)).tolist() == [1, 2]


def test_a_slice_of_a_split_may_be_named(load):
    dataset = load("digits", train_split="train[:1000]", test_split="train[1000:]")
    assert (dataset.num_train, dataset.num_test) == (1000, 437)
    batch = next(dataset.eval_batches("test"))
    np.testing.assert_array_equal(batch["image"], digits.examples("train").images[1000:1010])


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"train_split": "trian"}, "'trian'"),
        ({"train_split": "train+test"}, r"'train\+test'"),
        ({"train_split": "train[:1438]"}, r"'train\[:1438\]'"),
        ({"test_split": "test[:0]"}, r"'test\[:0\]'"),
        ({"image_key": "picture"}, r"'picture'.*data\.image_key"),
        ({"label_key": "class"}, r"'class'.*data\.label_key"),
        ({"image_size": 24}, r"data\.image_size"),
    ],
)
def test_settings_that_do_not_apply_are_refused(load, settings, named):
    with pytest.raises(UserError, match=named):
        load("digits", **settings)


def test_a_version_of_the_digits_is_refused(load):
    with pytest.raises(UserError, match=r"'digits:1\.0\.0'"):
        load("digits:1.0.0")


def test_they_need_neither_tensorflow_nor_tfds():
    script = """
import sys
from resnet_jax.data import digits
digits.examples("train")
heavy = {"tensorflow_datasets", "grain", "tensorflow"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", script], check=True)
