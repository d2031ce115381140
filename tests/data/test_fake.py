"""The fake of a set that need not be prepared."""

import pytest

from resnet_jax import data
from resnet_jax.data.dataset import Sampling
from resnet_jax.data.fake import fake, set_info
from resnet_jax.errors import UserError
from resnet_jax.training import config as configs


def settings(**given):
    return configs.override(configs.base(), {f"data.{key}": v for key, v in given.items()}).data


def test_the_digits_are_what_the_catalog_says():
    loaded = data.load(settings(name="digits"), batch_size=4, eval_batch_size=4, seed=0)
    info = set_info(settings(name="digits"))
    for field in ("image_shape", "num_classes", "num_train", "num_test"):
        assert getattr(info, field) == getattr(loaded, field)


@pytest.mark.parametrize(
    ("split", "size"),
    [("", 50_000), ("train", 50_000), ("train[:45000]", 45_000), ("train[90%:]", 5_000),
     ("train[-100:]", 100), ("train[10%:20%]", 5_000), ("train+test", 50_000)],
)  # fmt: skip
def test_a_slice_of_a_split_has_its_size(split, size):
    assert set_info(settings(name="cifar10", train_split=split)).num_train == size


def test_images_that_differ_in_size_need_one():
    info = set_info(settings(name="imagenet2012", image_size=64))
    assert info.image_shape == (64, 64, 3)
    with pytest.raises(UserError, match=r"'imagenet2012'.*data\.image_size"):
        set_info(settings(name="imagenet2012"))


def test_a_set_that_is_not_in_the_catalog_has_to_be_prepared(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(UserError, match=r"'cifr10'.*'cifar10'"):
        set_info(settings(name="cifr10"))


def test_batches_have_the_shapes_and_types_of_the_real_ones():
    real = data.load(settings(name="digits"), batch_size=4, eval_batch_size=4, seed=0)
    batch, noise = (
        each.train_batch(0) for each in (real, fake(settings(name="digits"), Sampling(0, 4, 4)))
    )
    assert {k: (v.shape, v.dtype) for k, v in batch.items()} == {
        k: (v.shape, v.dtype) for k, v in noise.items()
    }
    assert noise["label"].max() < 10
