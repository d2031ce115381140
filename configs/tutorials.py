"""Networks that tutorials on residual learning use.

    resnet-jax train --config configs/tutorials.py:one_stage --workdir runs/one_stage
    resnet-jax train --config configs/tutorials.py:unnormalized --config.data.name=cifar10 ...

    one_stage                units of width 64 behind the ImageNet stem: x + conv1x1(x) + F(x)
    unnormalized             units of two 3x3 convolutions without norm, width 64; Adam
    four_stages              2, 2, 2, 2 units of width 64 to 512, no ReLU after the addition
    four_stages_bottleneck   the same with units of 1x1, 3x3, norm, 1x1; Adam
    dropout                  18 units with one norm each, dropout of 0.5 between units; Adam
    on_the_image             units of conv, norm, ReLU, conv, norm directly on the image

`resnet-jax summary tutorial-one-stage` (and so on) shows one. Where a tutorial would add tensors of
different shapes, these have a projection. They take gray and color images of any size.

Takes: on digits, on two cores, 10 seconds (one_stage) to 2 minutes (four_stages_bottleneck).
Reaches: test errors on digits, single runs: one_stage 2.2%, unnormalized 0.8%, four_stages 2.2%,
four_stages_bottleneck 3.1%, on_the_image 2.2%. `dropout` stays at chance level, 89%, since dropout
between units drops half of the shortcut signal too, 17 times over. With
--config.model.unit_dropout=0.1 it reaches 3.3%.
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
    """The config of one of `VARIANTS`."""
    if variant not in VARIANTS:
        raise UserError(
            f"configs/tutorials.py has no variant '{variant}'; {did_you_mean(variant, VARIANTS)}"
        )
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
