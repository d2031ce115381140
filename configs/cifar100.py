"""CIFAR-100 by the recipe of He et al. 2015 and 2016, as `configs/cifar10.py`.

    resnet-jax data prepare cifar100     # once; needs the extra `prepare`
    resnet-jax train --config configs/cifar100.py --workdir runs/cifar100

Takes: 64,000 steps of 128 images. Not yet measured by us on a GPU.
Reaches: not yet measured by us. He et al. 2016, Table 4: pre-activation ResNet-164 24.33% test
error, with the warm-up below.
"""

from ml_collections import ConfigDict

from resnet_jax.training.config import base


def get_config() -> ConfigDict:
    """The recipe of the 2016 paper, whose runs all warm up for 400 steps at 0.01."""
    config = base()
    config.model.name = "preact164"
    config.data.name = "cifar100"
    config.data.normalize = "pixel"
    config.data.crop_padding = 4
    config.data.flip = True
    config.optimizer.learning_rate = 0.1
    config.schedule.name = "piecewise"
    config.schedule.drop_steps = (32_000, 48_000)
    config.schedule.warmup = "constant"
    config.schedule.warmup_factor = 0.1
    config.schedule.warmup_steps = 400
    config.train.steps = 64_000
    config.train.batch_size = 128
    config.train.eval_batch_size = 1000
    config.train.log_steps = 100
    config.train.eval_epochs = 5.0
    config.train.checkpoint_epochs = 10.0
    return config
