"""Smoke test: a small network on synthetic images for a few steps.

    resnet-jax train --config configs/smoke.py --workdir runs/smoke

Takes: seconds, most of them to compile.
Reaches: nothing of interest; images are a pattern for each class, plus noise.
"""

from ml_collections import ConfigDict

from resnet_jax.training.config import base


def get_config() -> ConfigDict:
    """ResNet-8 for 20 steps, with augmentation, evaluation and checkpoints."""
    config = base()
    config.model.name = "resnet8"
    config.data.name = "synthetic"
    config.data.synthetic.shape = (8, 8, 3)
    config.data.synthetic.num_train = 256
    config.data.synthetic.num_test = 100
    config.data.crop_padding = 1
    config.data.flip = True
    config.train.steps = 20
    config.train.batch_size = 32
    config.train.eval_batch_size = 64
    config.train.log_steps = 5
    config.train.eval_steps = 10
    config.train.checkpoint_steps = 10
    return config
