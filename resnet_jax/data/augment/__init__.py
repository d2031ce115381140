"""Data augmentation inside the training step: pure functions of a key and a batch.

    uint8 -> rand_augment -> normalize -> augment (rotate, crop, flip, cutout) -> mixup | cutmix

Every random function draws for the whole batch and uses the draws of the examples that it has, so
a batch is augmented identically on any number of devices.
"""

from resnet_jax.data.augment.basic import augment, cutout, flip, normalize, pad_and_crop
from resnet_jax.data.augment.batch_slice import BatchSlice, key_for
from resnet_jax.data.augment.geometry import random_rotate, rotate, warp
from resnet_jax.data.augment.mix import cutmix, mixup
from resnet_jax.data.augment.rand_augment import rand_augment

__all__ = [
    "BatchSlice",
    "augment",
    "cutmix",
    "cutout",
    "flip",
    "key_for",
    "mixup",
    "normalize",
    "pad_and_crop",
    "rand_augment",
    "random_rotate",
    "rotate",
    "warp",
]
