"""The networks that tutorials teach residual learning with, to start from what one knows.

    resnet-jax train --config configs/tutorials.py:one_stage --workdir runs/one_stage
    resnet-jax train --config configs/tutorials.py:unnormalized --config.data.name=cifar10 ...

    one_stage                units of 64 filters behind ImageNet's stem, x + conv1x1(x) + F(x)
    unnormalized             two 3x3 convolutions without norm, at width 64; Adam
    four_stages              2, 2, 2, 2 units of 64 to 512 filters, no ReLU after the addition
    four_stages_bottleneck   the same of units 1x1, 3x3, norm, 1x1; Adam
    dropout                  18 units with one norm each, dropout of 0.5 between them; Adam
    on_the_image             conv, norm, ReLU, conv, norm, straight on the image

`resnet-jax summary tutorial-one-stage` and so on shows one. A projection stands where a tutorial
would add unlike shapes. They train on the digits as they are, on small and on large colour images.

Takes: on two cores from 10 seconds (one_stage) to 2 minutes (four_stages_bottleneck) on digits.
Reaches: test errors on digits, one run each: one_stage 2.2%, unnormalized 0.8%, four_stages 2.2%,
four_stages_bottleneck 3.1%, on_the_image 2.2%. `dropout` stays at the error of a guess, 89%:
between units, dropout takes half of the shortcuts' signal 17 times over, and of the normalised one
with it. With --config.model.unit_dropout=0.1 it reaches 3.3%.
"""

from ml_collections import ConfigDict

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.training.config import base

ADAM = ("unnormalized", "four_stages_bottleneck", "dropout")
VARIANTS = (
    "one_stage",
    "unnormalized",
    "four_stages",
    "four_stages_bottleneck",
    "dropout",
    "on_the_image",
)


def get_config(variant: str = "one_stage") -> ConfigDict:
    """The settings of one of `VARIANTS`."""
    if variant not in VARIANTS:
        raise UserError(f"no variant '{variant}' of this config: {did_you_mean(variant, VARIANTS)}")
    config = base()
    config.model.name = f"tutorial-{variant.replace('_', '-')}"
    config.data.name = "digits"
    config.optimizer.name = "adam" if variant in ADAM else "sgd"
    config.optimizer.learning_rate = 1e-3 if variant in ADAM else 0.01
    config.schedule.name = "cosine"
    config.schedule.warmup_steps = 20
    config.train.steps = 300
    config.train.batch_size = 32
    return config
