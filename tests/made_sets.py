"""Small sets in TFDS's format, written by builders of the tests."""

import io

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image


def encode(array, kind, **options):
    file = io.BytesIO()
    Image.fromarray(array.squeeze()).save(file, kind, **options)
    file.seek(0)
    return file


def small_image(split, index):
    seed = ("train", "test").index(split)
    return np.random.RandomState([seed, index]).randint(0, 256, (32, 32, 3)).astype(np.uint8)


def photograph(index):
    """A smooth image, in color or, every fourth, gray; the size depends on the index."""
    height, width = 40 + 7 * (index % 5), 70 - 6 * (index % 4)
    down, across = np.mgrid[:height, :width]
    gray = (3 * down + 2 * across + 5 * index) % 256
    return (
        gray.astype(np.uint8) if index % 4 == 3 else np.stack([gray, down, across], -1).astype("u1")
    )


class MadeSet(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    VERSION = tfds.core.Version("1.0.0")
    SPLITS = ()
    SHAPE = (32, 32, 3)
    KIND = "png"
    CLASSES = 10
    MORE = ()
    SUPERVISED = None

    def _info(self):
        image = tfds.features.Image(shape=self.SHAPE, encoding_format=self.KIND)
        label = tfds.features.ClassLabel(num_classes=self.CLASSES)
        features = tfds.features.FeaturesDict({"image": image, "label": label, **dict(self.MORE)})
        return tfds.core.DatasetInfo(
            builder=self,
            features=features,
            supervised_keys=self.SUPERVISED,
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(split) for split, _ in self.SPLITS}

    def _generate_examples(self, split):
        for index in range(dict(self.SPLITS)[split]):
            yield index, self.example(split, index)


class Cifar(MadeSet):
    name = "my_cifar"
    SPLITS = (("train", 60), ("test", 23))
    MORE = (("id", tfds.features.Text()),)

    def example(self, split, index):
        image = encode(small_image(split, index), "PNG")
        return {"image": image, "label": index % 10, "id": f"{split}{index}"}


class Photographs(MadeSet):
    name = "my_imagenet"
    SPLITS = (("train", 30), ("validation", 13), ("unlabelled", 4))
    SHAPE, KIND, CLASSES = (None, None, 3), "jpeg", 1000

    def example(self, split, index):
        label = -1 if split == "unlabelled" else 10 * index
        return {"image": encode(photograph(index), "JPEG", quality=95), "label": label}


# These have the names of sets of TFDS, so they are not registered.


class Cifar10(Cifar, skip_registration=True):
    """CIFAR-10 with images of noise; its features are those of TFDS's builder."""

    name = "cifar10"
    SPLITS = (("train", 128), ("test", 24))
    SUPERVISED = ("image", "label")


class Cifar100(Cifar10, skip_registration=True):
    """CIFAR-100 with images of noise; it has a second label, the superclass."""

    name = "cifar100"
    CLASSES = 100
    MORE = (*Cifar10.MORE, ("coarse_label", tfds.features.ClassLabel(num_classes=20)))

    def example(self, split, index):
        return super().example(split, index) | {"label": index % 100, "coarse_label": index % 20}


class ImageNet(Photographs, skip_registration=True):
    """ImageNet with twelve small training and four validation images."""

    name = "imagenet2012"
    SPLITS = (("train", 12), ("validation", 4))
    MORE = (("file_name", tfds.features.Text()),)
    SUPERVISED = ("image", "label")

    def example(self, split, index):
        return super().example(split, index) | {"file_name": f"{split}{index}.JPEG"}
