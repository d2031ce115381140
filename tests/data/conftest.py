"""Small sets of the real format, written by TFDS builders of the tests' own."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from ml_collections import ConfigDict
from PIL import Image

from resnet_jax import data


def encode(array, kind, **options):
    file = io.BytesIO()
    Image.fromarray(array.squeeze()).save(file, kind, **options)
    file.seek(0)
    return file


def small_image(split, index):
    seed = ("train", "test").index(split)
    return np.random.RandomState([seed, index]).randint(0, 256, (32, 32, 3)).astype(np.uint8)


def photograph(index):
    """A smooth picture of a size and of channels of its own: colour, and every fourth grey."""
    height, width = 40 + 7 * (index % 5), 70 - 6 * (index % 4)
    down, across = np.mgrid[:height, :width]
    grey = (3 * down + 2 * across + 5 * index) % 256
    return (
        grey.astype(np.uint8) if index % 4 == 3 else np.stack([grey, down, across], -1).astype("u1")
    )


class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    VERSION = tfds.core.Version("1.0.0")
    SPLITS = ()
    SHAPE = (32, 32, 3)
    KIND = "png"
    CLASSES = 10
    MORE = ()

    def _info(self):
        image = tfds.features.Image(shape=self.SHAPE, encoding_format=self.KIND)
        label = tfds.features.ClassLabel(num_classes=self.CLASSES)
        features = tfds.features.FeaturesDict({"image": image, "label": label, **dict(self.MORE)})
        return tfds.core.DatasetInfo(builder=self, features=features, disable_shuffling=True)

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split, _ in self.SPLITS}

    def _generate_examples(self, split):
        for index in range(dict(self.SPLITS)[split]):
            yield index, self.example(split, index)


class Cifar(Builder):
    name = "my_cifar"
    SPLITS = (("train", 60), ("test", 23))
    MORE = (("id", tfds.features.Text()),)

    def example(self, split, index):
        image = encode(small_image(split, index), "PNG")
        return {"image": image, "label": index % 10, "id": f"{split}{index}"}


class Photographs(Builder):
    name = "my_imagenet"
    SPLITS = (("train", 30), ("validation", 13), ("unlabelled", 4))
    SHAPE, KIND, CLASSES = (None, None, 3), "jpeg", 1000

    def example(self, split, index):
        label = -1 if split == "unlabelled" else 10 * index
        return {"image": encode(photograph(index), "JPEG", quality=95), "label": label}


class NotImages(Builder):
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
    """A set that TFDS knows by name."""

    name = "registered_set"


class UnreachableSet(Cifar):
    """A set that TFDS knows by name, and that cannot be downloaded."""

    name = "unreachable_set"

    def _split_generators(self, dl_manager):
        raise ConnectionError("no route\nto host")


class NoLabel(Builder):
    name = "no_label"
    SPLITS = (("train", 3), ("test", 3))

    def _info(self):
        features = tfds.features.FeaturesDict({"text": tfds.features.Text()})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def example(self, split, index):
        return {"text": "words"}


@pytest.fixture(scope="session")
def stored_small_images():
    """What the CIFAR-10-shaped set must read as, by split."""
    return {s: np.stack([small_image(s, i) for i in range(n)]) for s, n in Cifar.SPLITS}


@pytest.fixture(scope="session")
def stored_photographs():
    """The colour photographs behind the ImageNet-shaped set, by index, before JPEG."""
    return [np.asarray(Image.fromarray(photograph(i)).convert("RGB")) for i in range(30)]


@pytest.fixture(scope="session")
def sets(tmp_path_factory):
    """A folder of prepared sets that no test changes."""
    tfds.disable_progress_bar()
    root = tmp_path_factory.mktemp("sets")
    kinds = (Cifar, Photographs, NotImages, CutImages, WrongShape, TwoImages, NoLabel)
    for kind in kinds:
        kind(data_dir=root, file_format="array_record").download_and_prepare()
    return root


@pytest.fixture
def own_sets(sets, tmp_path):
    """A copy of the prepared sets for one test to damage."""
    return Path(shutil.copytree(sets, tmp_path / "sets"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """A cache folder for the digits, instead of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("RESNET_JAX_CACHE", str(folder))
        yield folder


@pytest.fixture
def load(cache):
    """`data.load` with every setting at its default but those given."""

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
