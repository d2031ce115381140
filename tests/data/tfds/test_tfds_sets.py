"""Loading prepared sets by name and folder."""

import shutil

import jax
import numpy as np
import pytest

from resnet_jax.data import loading
from resnet_jax.data.in_memory import InMemory
from resnet_jax.data.streaming import Streaming
from resnet_jax.errors import UserError


def test_small_sets_read_as_they_were_written(load, sets, stored_small_images):
    dataset = load("my_cifar", data_dir=sets, eval_batch_size=23)
    assert isinstance(dataset, InMemory)
    assert dataset.image_shape == (32, 32, 3)
    assert (dataset.num_train, dataset.num_test, dataset.num_classes) == (60, 23, 10)
    (batch,) = dataset.eval_batches("test")
    np.testing.assert_array_equal(batch["image"], stored_small_images["test"])
    assert batch["label"].tolist() == [index % 10 for index in range(23)]
    assert isinstance(batch["image"], jax.Array)


def test_large_sets_are_streamed_the_same(load, sets, monkeypatch):
    whole = load("my_cifar", data_dir=sets)
    monkeypatch.setattr(loading, "IN_MEMORY_BYTES", 1000)
    streamed = load("my_cifar", data_dir=sets)
    assert isinstance(streamed, Streaming)
    assert streamed.image_shape == whole.image_shape
    for step in (0, 9):
        ours, theirs = whole.train_batch(step), streamed.train_batch(step)
        assert (ours["image"] == theirs["image"]).all()
        assert (ours["label"] == theirs["label"]).all()
    for ours, theirs in zip(whole.eval_batches("test"), streamed.eval_batches("test"), strict=True):
        for key in ("image", "label", "mask"):
            np.testing.assert_array_equal(ours[key], theirs[key])


def test_parts_of_splits(load, sets, stored_small_images):
    parts = dict(train_split="train[:50]", test_split="train[50:]")
    dataset = load("my_cifar", data_dir=sets, **parts)
    assert (dataset.num_train, dataset.num_test) == (50, 10)
    (batch,) = dataset.eval_batches("test")
    np.testing.assert_array_equal(batch["image"], stored_small_images["train"][50:])


def test_the_usual_folder_is_the_one_of_tfds(load, sets, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(sets))
    assert load("my_cifar:1.0.0").num_train == 60


def test_a_feature_may_be_named(load, sets, stored_small_images):
    dataset = load("two_images", data_dir=sets, image_key="mask_image", eval_batch_size=23)
    (batch,) = dataset.eval_batches("test")
    np.testing.assert_array_equal(batch["image"], 255 - stored_small_images["test"])


def test_of_two_labels_the_one_that_the_set_trains_on_is_taken(load, sets):
    """CIFAR-100 has 100 classes in 20 superclasses."""
    dataset = load("cifar100", data_dir=sets, eval_batch_size=24)
    assert dataset.num_classes == 100
    assert next(dataset.eval_batches("train"))["label"].tolist() == [*range(24)]
    coarse = load("cifar100", data_dir=sets, label_key="coarse_label", eval_batch_size=24)
    assert coarse.num_classes == 20
    assert next(coarse.eval_batches("train"))["label"].tolist() == [*range(20), *range(4)]


@pytest.mark.parametrize(
    ("name", "settings", "facts"),
    [
        ("my_cifar", {"train_split": "trian"}, r"'trian'.*'train'"),
        ("my_cifar", {"test_split": "test[:0]"}, r"'test\[:0\]'"),
        ("my_cifar", {"test_split": "test[:x]"}, r"'test\[:x\]'"),
        ("my_cifar", {"label_key": "lable"}, r"'lable'.*'label'"),
        ("my_cifar:2.0.0", {}, r"2\.0\.0 .* 1\.0\.0"),
        ("two_images", {}, r"data\.image_key .*image, mask_image"),
        ("no_label", {}, r"'no_label' .*\(text\)"),
        ("my_imagenet", {}, r"'my_imagenet' .*data\.image_size"),
        ("wrong_shape", {}, r"\(16, 32, 3\) .*\(32, 32, 3\)"),
    ],
)
def test_invalid_settings_are_refused(load, sets, name, settings, facts):
    with pytest.raises(UserError, match=facts):
        load(name, data_dir=sets, **settings)


def test_a_split_without_labels_is_refused(load, sets):
    settings = {"image_size": 16, "test_split": "unlabelled"}
    dataset = load("my_imagenet", data_dir=sets, **settings)
    with pytest.raises(UserError, match=r"'unlabelled' .*'my_imagenet' .*label -1"):
        next(dataset.eval_batches("test"))


def test_the_newest_version_is_read_and_configs_are_told_apart(load, own_sets):
    versions = own_sets / "my_cifar"
    shutil.copytree(versions / "1.0.0", versions / "0.9.0")
    assert load("my_cifar", data_dir=own_sets).num_train == 60
    for config in ("full", "half"):
        shutil.copytree(versions, own_sets / "configured" / config)
    with pytest.raises(UserError, match="configured/full or configured/half"):
        load("configured", data_dir=own_sets)
    assert load("configured/half:0.9.0", data_dir=own_sets).num_train == 60
