"""Small sets in TFDS's format, written by builders of the tests."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from made_sets import Cifar, Cifar100, MadeSet, Photographs, encode, photograph, small_image
from ml_collections import ConfigDict
from PIL import Image

from resnet_jax import data


class NotImages(MadeSet):
    name = "not_images"
    SPLITS = (("train", 5), ("test", 5))

    def example(self, split, index):
        return {"image": io.BytesIO(b"these are words"), "label": index}


class CutImages(Cifar):
    name = "cut_images"

    def example(self, split, index):
        whole = encode(small_image(split, index), "PNG").read()
        return {"image": io.BytesIO(whole[: len(whole) // 2]), "label": 0, "id": ""}


class WrongShape(Cifar):
    name = "wrong_shape"

    def example(self, split, index):
        image = encode(small_image(split, index)[:16], "PNG")
        return {"image": image, "label": 0, "id": ""}


class TwoImages(Cifar):
    name = "two_images"
    MORE = (("mask_image", tfds.features.Image(shape=(32, 32, 3), encoding_format="png")),)

    def example(self, split, index):
        image = small_image(split, index)
        both = {"image": encode(image, "PNG"), "mask_image": encode(255 - image, "PNG")}
        return both | {"label": index % 10}


class RegisteredSet(Cifar):
    """A set that is registered with TFDS."""

    name = "registered_set"


class UnreachableSet(Cifar):
    """A registered set whose download fails."""

    name = "unreachable_set"

    def _split_generators(self, dl_manager):
        raise ConnectionError("no route\nto host")


class NoLabel(MadeSet):
    name = "no_label"
    SPLITS = (("train", 3), ("test", 3))

    def _info(self):
        features = tfds.features.FeaturesDict({"text": tfds.features.Text()})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def example(self, split, index):
        return {"text": "words"}


@pytest.fixture(scope="session")
def stored_small_images():
    """The images of `Cifar`, by split."""
    return {s: np.stack([small_image(s, i) for i in range(n)]) for s, n in Cifar.SPLITS}


@pytest.fixture(scope="session")
def stored_photographs():
    """The images of `Photographs` as RGB, before JPEG compression, by index."""
    return [np.asarray(Image.fromarray(photograph(i)).convert("RGB")) for i in range(30)]


@pytest.fixture(scope="session")
def sets(tmp_path_factory):
    """A folder of prepared sets, which tests must not change."""
    tfds.disable_progress_bar()
    root = tmp_path_factory.mktemp("sets")
    kinds = (Cifar, Cifar100, Photographs, NotImages, CutImages, WrongShape, TwoImages, NoLabel)
    for kind in kinds:
        kind(data_dir=root, file_format="array_record").download_and_prepare()
    return root


@pytest.fixture
def own_sets(sets, tmp_path):
    """A copy of the prepared sets that a test may change."""
    return Path(shutil.copytree(sets, tmp_path / "sets"))


@pytest.fixture
def load():
    """`data.load` with the given settings, and defaults for the others."""

    def load(name, *, batch_size=8, eval_batch_size=10, seed=0, shard=None, **settings):
        synthetic = settings.pop("synthetic", {})
        config = ConfigDict(
            dict(
                name=name,
                data_dir="",
                train_split="",
                test_split="",
                image_key="",
                label_key="",
                image_size=0,
                normalize="none",
                workers=0,
                synthetic=dict(shape=(8, 8, 1), classes=10, num_train=64, num_test=32) | synthetic,
            )
        )
        config.update({k: str(v) if isinstance(v, Path) else v for k, v in settings.items()})
        sizes = {"batch_size": batch_size, "eval_batch_size": eval_batch_size}
        return data.load(config, **sizes, seed=seed, shard=shard or data.Shard())

    return load
