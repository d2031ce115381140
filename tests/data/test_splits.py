import doctest

import pytest
import tensorflow_datasets as tfds

from resnet_jax.data import splits
from resnet_jax.data.splits import parse_split

SIZES = {"train": 1437, "test": 360}


@pytest.mark.parametrize(
    "text",
    ["train", "test", "train[:1000]", "train[-100:]", "train[10:-10]", "train[1437:]",
     "train[90%:]", "train[:12.5%]", "train[-33%:]", "test[10%:20%]", "train[:100%]"],
)  # fmt: skip
def test_a_slice_is_that_of_tfds(text):
    infos = [
        tfds.core.SplitInfo(name=name, shard_lengths=[size], num_bytes=0)
        for name, size in SIZES.items()
    ]
    name, indices = parse_split(text, SIZES)
    (theirs,) = tfds.core.splits._make_absolute_instructions(infos, text)
    expected = range(SIZES[name])[slice(theirs.from_, theirs.to)]
    assert (name, indices) == (theirs.splitname, expected)


def test_slices_may_be_whole_or_empty():
    assert parse_split("test[:]", SIZES) == ("test", range(360))
    assert parse_split("test[5:3]", SIZES) == ("test", range(5, 3))


@pytest.mark.parametrize(
    "text",
    ["", "trian", "train+test", "train[5]", "train[:x]", "train[:1438]", "train[:101%]",
     "train[10:50%]", "train[0shard:]", "train[:1.5]", "train[", "all"],
)  # fmt: skip
def test_other_expressions_are_none(text):
    assert parse_split(text, SIZES) is None


def test_its_example_holds():
    ran = doctest.testmod(splits)
    assert (ran.failed, ran.attempted) == (0, 1)
