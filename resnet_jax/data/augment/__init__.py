"""What happens to a batch inside the training step, as pure functions of a key and the batch.

    uint8 -> rand_augment -> normalize -> augment (rotate, crop, flip, cutout) -> mixup | cutmix

A random function draws for the whole batch, and takes of it the draws of the rows in hand: a batch
is changed in the same way on any number of devices.
"""

from resnet_jax.data.augment.basic import augment, cutout, flip, normalize, pad_and_crop
from resnet_jax.data.augment.batch_slice import Rows, key_for
from resnet_jax.data.augment.geometry import rotate, turned, warp
from resnet_jax.data.augment.mix import cutmix, mixup
from resnet_jax.data.augment.rand_augment import rand_augment

__all__ = [
    "Rows",
    "augment",
    "cutmix",
    "cutout",
    "flip",
    "key_for",
    "mixup",
    "normalize",
    "pad_and_crop",
    "rand_augment",
    "rotate",
    "turned",
    "warp",
]
