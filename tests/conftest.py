"""What all tests share: a cache folder for compiled programs, and the smallest full config."""

import pytest

from resnet_jax.training import config as configs
from resnet_jax.training.compilation import use_cache

use_cache()


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
