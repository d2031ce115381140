"""CIFAR-100 with the recipe of He et al. 2016; see `configs/cifar10.py` for the differences.

    resnet-jax data prepare cifar100     # once; needs the extra `prepare`
    resnet-jax train --config configs/cifar100.py --workdir runs/cifar100

Takes: 64,000 steps with batches of 128. Not measured yet.
Reaches: not measured yet. The paper's test error (Table 4): pre-activation ResNet-164 24.33%.
"""

from ml_collections import ConfigDict

from resnet_jax.training.config import base


def get_config() -> ConfigDict:
    """The recipe of the paper, in which every run warms up for 400 steps at 0.01."""
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
