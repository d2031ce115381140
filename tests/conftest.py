"""What all tests share: a cache folder for compiled programs, and the smallest full config."""

import pytest

from resnet_jax.training import config as configs
from resnet_jax.training.run.compilation import use_cache

use_cache()


@pytest.fixture(scope="session")
def papers_sets(tmp_path_factory):
    """A folder with small sets in the place of CIFAR-10, CIFAR-100 and ImageNet."""
    import tensorflow_datasets as tfds
    from made_sets import Cifar10, Cifar100, ImageNet

    tfds.disable_progress_bar()
    root = tmp_path_factory.mktemp("papers_sets")
    for kind in (Cifar10, Cifar100, ImageNet):
        kind(data_dir=root, file_format="array_record").download_and_prepare()
    return root


@pytest.fixture
def tiny():
    """Config of a run that takes a second: ResNet-8 of made-up 8x8 images, augmented."""
    return configs.override(
        configs.base(),
        {
            "model.name": "resnet8",
            "data.name": "synthetic",
            "data.synthetic.num_train": 48,
            "data.synthetic.num_test": 20,
            "data.crop_padding": 1,
            "data.flip": True,
            "train.steps": 6,
            "train.batch_size": 16,
            "train.eval_batch_size": 16,
            "train.log_steps": 2,
            "train.checkpoint_steps": 2,
        },
    )
