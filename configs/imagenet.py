"""ImageNet by the recipe of He et al. 2015, section 3.4, with the crops of today.

    resnet-jax data prepare imagenet2012     # once; needs the extra `prepare` and the archives
    resnet-jax train --config configs/imagenet.py --workdir runs/resnet50

As the paper: batch 256, SGD with momentum 0.9, rate 0.1 divided by 10, weight decay 1e-4 on all
parameters, 600,000 steps. Where the paper says "when the error plateaus", the rate drops after 30,
60 and 90 of 120 epochs. Not as the paper: crops are random-resized (Szegedy et al. 2015) instead of
a scale of [256, 480], the colours are not altered, channels are normalised by their mean and
deviation, the computation is in bfloat16, and the dense layer starts at sqrt(1 / (3 fan_in)).

Takes: 600,000 steps of 256 images. Not yet measured by us on a GPU.
Reaches: not yet measured by us. The authors' single-crop top-1 errors: ResNet-50 24.7%, 101 23.6%,
152 23.0%.
"""

from ml_collections import ConfigDict

from resnet_jax.training.config import base


def get_config() -> ConfigDict:
    """The recipe."""
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
