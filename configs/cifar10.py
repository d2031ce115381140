"""CIFAR-10 with the recipe of He et al. 2015, section 4.2.

    resnet-jax data prepare cifar10     # once; needs the extra `prepare`
    resnet-jax train --config configs/cifar10.py --config.model.name=resnet56 --workdir runs/r56

ResNet-110 does not start training at a learning rate of 0.1 and needs the paper's warm-up, 0.01 for
the first 400 steps:

    resnet-jax train --config configs/cifar10.py:warmup --config.model.name=resnet110 ...

Differences from the paper:
- images are also divided by a standard deviation, one number, which the first batch norm cancels;
- batch statistics are those of all 128 images; each of the paper's two GPUs had 64 (as here with
  --config.train.accumulate=2);
- the dense layer starts with a standard deviation of sqrt(1 / (3 fan_in)), as in PyTorch;
- the warm-up ends after 400 steps, where the paper waits for a training error below 80%.

Takes: 64,000 steps with batches of 128. Not measured yet.
Reaches: not measured yet. The paper's test errors: ResNet-20 8.75%, ResNet-32 7.51%, ResNet-44
7.17%, ResNet-56 6.97%, ResNet-110 6.43% (best of 5; mean 6.61, standard deviation 0.16).
"""

from ml_collections import ConfigDict

from resnet_jax.errors import UserError
from resnet_jax.training.config import base


def get_config(variant: str = "") -> ConfigDict:
    """The recipe. The variant `warmup` is for networks of 110 layers and more."""
    if variant not in ("", "warmup"):
        raise UserError(f"configs/cifar10.py has no variant '{variant}'; it has 'warmup'")
    config = base()
    config.model.name = "resnet20"
    config.data.name = "cifar10"
    config.data.normalize = "pixel"
    config.data.crop_padding = 4
    config.data.flip = True
    config.optimizer.learning_rate = 0.1
    config.optimizer.momentum = 0.9
    config.optimizer.weight_decay = 1e-4
    config.schedule.name = "piecewise"
    config.schedule.drop_steps = (32_000, 48_000)
    if variant == "warmup":
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
