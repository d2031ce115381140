"""The stand-in for a set that is not prepared."""

import pytest

from resnet_jax import data
from resnet_jax.data.dataset import Sampling
from resnet_jax.data.fake import KNOWN, facts, fake
from resnet_jax.data.tfds.catalog import CATALOG
from resnet_jax.errors import UserError
from resnet_jax.training import config as configs


def settings(**given):
    return configs.override(configs.base(), {f"data.{key}": v for key, v in given.items()}).data


def test_it_knows_every_set_of_the_catalogue_as_the_catalogue_describes_it():
    assert {*KNOWN, "synthetic"} == set(CATALOG)
    for name, known in KNOWN.items():
        assert f"{known.train:,} + {known.test:,} " in CATALOG[name]


def test_what_it_knows_of_the_digits_is_what_the_set_is():
    loaded = data.load(settings(name="digits"), batch_size=4, eval_batch_size=4, seed=0)
    known = facts(settings(name="digits"))
    assert (known.shape, known.classes) == (loaded.image_shape, loaded.num_classes)
    assert (known.train, known.test) == (loaded.num_train, loaded.num_test)


@pytest.mark.parametrize(
    ("split", "size"),
    [("", 50_000), ("train", 50_000), ("train[:45000]", 45_000), ("train[90%:]", 5_000),
     ("train[-100:]", 100), ("train[10%:20%]", 5_000)],
)  # fmt: skip
def test_a_part_of_a_split_has_its_size(split, size):
    assert facts(settings(name="cifar10", train_split=split)).train == size


def test_photographs_have_the_size_that_is_set_and_none_without():
    assert facts(settings(name="imagenet2012", image_size=64)).shape == (64, 64, 3)
    with pytest.raises(UserError, match=r"set data\.image_size"):
        facts(settings(name="imagenet2012"))


def test_another_set_has_to_be_prepared(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(UserError, match="there is no set 'cifr10'"):
        facts(settings(name="cifr10"))


def test_batches_have_the_shapes_and_types_of_the_real_ones():
    real = data.load(settings(name="digits"), batch_size=4, eval_batch_size=4, seed=0)
    batch, noise = (
        each.train_batch(0) for each in (real, fake(settings(name="digits"), Sampling(0, 4, 4)))
    )
    assert {k: (v.shape, v.dtype) for k, v in batch.items()} == {
        k: (v.shape, v.dtype) for k, v in noise.items()
    }
    assert noise["label"].max() < 10
