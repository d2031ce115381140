"""ImageNet with the recipe of He et al. 2015, section 3.4, and random resized crops.

    resnet-jax data prepare imagenet2012     # once; needs the extra `prepare` and the archives
    resnet-jax train --config configs/imagenet.py --workdir runs/resnet50

As in the paper: batches of 256, SGD with momentum 0.9, weight decay 1e-4 on all parameters, 600,000
steps, a learning rate of 0.1 that is divided by 10 three times.

Differences from the paper:
- the rate drops after 30, 60 and 90 of 120 epochs, where the paper says "when the error plateaus";
- random resized crops (Szegedy et al. 2015) instead of scales from [256, 480];
- no color augmentation;
- channels are normalized by mean and standard deviation;
- the computation is in bfloat16;
- the dense layer starts with a standard deviation of sqrt(1 / (3 fan_in)), as in PyTorch.

Takes: 600,000 steps with batches of 256. Not measured yet.
Reaches: not measured yet. The authors' single-crop top-1 errors: ResNet-50 24.7%, ResNet-101 23.6%,
ResNet-152 23.0%.
"""

from ml_collections import ConfigDict

from resnet_jax.training.config import base


def get_config() -> ConfigDict:
    """ResNet-50 with the recipe above."""
    config = base()
    config.model.name = "resnet50"
    config.model.dtype = "bfloat16"
    config.data.name = "imagenet2012"
    config.data.image_size = 224
    config.data.normalize = "channel"
    config.data.flip = True
    config.data.workers = 16
    config.optimizer.learning_rate = 0.1
    config.schedule.name = "piecewise"
    config.schedule.drop_epochs = (30, 60, 90)
    config.train.steps = 600_000
    config.train.batch_size = 256
    config.train.eval_batch_size = 256
    config.train.log_steps = 100
    config.train.eval_epochs = 1.0
    config.train.checkpoint_epochs = 1.0
    return config
