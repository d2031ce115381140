import itertools

import jax
import numpy as np
import pytest

from resnet_jax.errors import UserError


def everything(dataset, split):
    """The examples that evaluation counts, and the batches they came in."""
    batches = [{k: np.asarray(v) for k, v in b.items()} for b in dataset.eval_batches(split)]
    counted = [b["mask"] == 1 for b in batches]
    images = np.concatenate([b["image"][m] for b, m in zip(batches, counted, strict=True)])
    labels = np.concatenate([b["label"][m] for b, m in zip(batches, counted, strict=True)])
    return images, labels, batches


@pytest.mark.parametrize(("split", "size"), [("train", 1437), ("test", 360)])
def test_evaluation_counts_each_example_once(load, split, size):
    dataset = load("digits", eval_batch_size=100)
    images, labels, batches = everything(dataset, split)
    assert len(images) == len(labels) == size
    assert {b["image"].shape for b in batches} == {(100, 8, 8, 1)}
    padding = batches[-1]["mask"] == 0
    assert padding.sum() == -size % 100
    assert (batches[-1]["image"][padding] == 0).all()
    assert (batches[-1]["label"][padding] == 0).all()


def test_an_epoch_of_training_batches_is_the_training_split(load):
    dataset = load("digits", batch_size=479)  # 3 x 479 = 1437
    images, labels, _ = everything(dataset, "train")
    batches = [dataset.train_batch(step) for step in range(3)]
    drawn = sorted(
        (int(label), image.tobytes())
        for b in batches
        for label, image in zip(b["label"], np.asarray(b["image"]), strict=True)
    )
    stored = sorted((int(label), i.tobytes()) for label, i in zip(labels, images, strict=True))
    assert drawn == stored


def test_batches_are_a_function_of_the_step(load):
    one, other = load("synthetic", seed=3), load("synthetic", seed=3)
    for step, batch in zip(range(5, 12), one.train_batches(5), strict=False):
        again = other.train_batch(step)
        assert (batch["image"] == again["image"]).all()
        assert (batch["label"] == again["label"]).all()


def test_seeds_order_the_same_examples_differently(load):
    one, other = load("synthetic", seed=0), load("synthetic", seed=1)
    assert (one.train_batch(0)["image"] != other.train_batch(0)["image"]).any()
    for split in ("train", "test"):
        assert (everything(one, split)[0] == everything(other, split)[0]).all()


def test_batches_live_on_the_device_as_bytes(load):
    batch = load("digits").train_batch(0)
    assert isinstance(batch["image"], jax.Array)
    assert (batch["image"].dtype, batch["label"].dtype) == (np.uint8, np.int32)
    assert set(batch) == {"image", "label"}


def test_a_batch_may_be_larger_than_the_set(load):
    dataset = load("synthetic", batch_size=100, synthetic={"num_train": 7})
    counts = np.bincount(dataset.train_batch(0)["label"], minlength=7)
    assert sorted(counts) == [14, 14, 14, 14, 14, 15, 15]


def test_facts(load):
    dataset = load("digits", normalize="pixel")
    assert (dataset.name, dataset.num_classes) == ("digits", 10)
    assert (dataset.num_train, dataset.num_test) == (1437, 360)
    assert dataset.image_shape == dataset.mean.shape == (8, 8, 1)
    images = everything(dataset, "train")[0]
    np.testing.assert_allclose(dataset.mean, images.mean(0), rtol=1e-6)


def test_synthetic_is_balanced_and_of_the_settings(load):
    dataset = load(
        "synthetic", synthetic=dict(shape=(9, 6, 3), classes=4, num_train=40, num_test=12)
    )
    images, labels, _ = everything(dataset, "train")
    assert images.shape == (40, 9, 6, 3)
    assert np.bincount(labels).tolist() == [10] * 4
    assert dataset.num_classes == 4


def test_a_classifier_of_synthetic_train_generalizes_to_test(load):
    dataset = load("synthetic", synthetic=dict(num_train=200, num_test=100))
    images, labels, _ = everything(dataset, "train")
    means = np.stack([images[labels == label].mean(0) for label in range(10)])
    test_images, test_labels, _ = everything(dataset, "test")
    distances = ((test_images[:, None] - means) ** 2).sum((2, 3, 4))
    assert (distances.argmin(1) == test_labels).mean() > 0.95
    assert not any((image == images).all((1, 2, 3)).any() for image in test_images)


@pytest.mark.parametrize("wrong", [dict(shape=(8, 8, 0)), dict(classes=0), dict(num_test=-1)])
def test_an_empty_synthetic_set_is_refused(load, wrong):
    with pytest.raises(UserError, match=r"data\.synthetic .*num_train"):
        load("synthetic", synthetic=wrong)


def test_training_never_ends(load):
    dataset = load("synthetic", batch_size=64)
    assert len(list(itertools.islice(dataset.train_batches(), 50))) == 50
