"""CIFAR-10 by the recipe of He et al. 2015, section 4.2.

    resnet-jax data prepare cifar10     # once; needs the extra `prepare`
    resnet-jax train --config configs/cifar10.py --config.model.name=resnet56 --workdir runs/r56

For ResNet-110, which does not start to train at 0.1, the paper's warm-up: 0.01 at first, until the
training error is below 80% (about 400 steps), then 0.1:

    resnet-jax train --config configs/cifar10.py:warmup --config.model.name=resnet110 ...

Not as the paper: pixels are also divided by the training split's standard deviation, one number,
which the norm after the first convolution takes out again; a batch is normalised by the statistics
of all its 128 images, where each of the paper's two GPUs had 64 (--config.train.accumulate=2 does
so); the dense layer starts at sqrt(1 / (3 fan_in)), as PyTorch's does; the warm-up ends after 400
steps, whatever the training error.

Takes: 64,000 steps of 128 images. Not yet measured by us on a GPU.
Reaches: not yet measured by us. The paper's test errors: ResNet-20 8.75%, 32 7.51%, 44 7.17%,
56 6.97%, 110 6.43% (best of 5; mean 6.61, standard deviation 0.16).
"""

from ml_collections import ConfigDict

from resnet_jax.errors import UserError
from resnet_jax.training.config import base


def get_config(variant: str = "") -> ConfigDict:
    """The recipe; `variant` is empty, or `warmup` for the deep networks that need it."""
    if variant not in ("", "warmup"):
        raise UserError(f"no variant '{variant}' of this config: there is 'warmup'")
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
