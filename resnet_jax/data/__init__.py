"""Datasets as functions of the step, and augmentation on the device.

dataset = data.load(config.data, batch_size=128, eval_batch_size=256, seed=0)
batch = dataset.train_batch(step)
"""

from resnet_jax.data.dataset import Batch, Dataset, Shard, Split
from resnet_jax.data.loading import load

__all__ = ["Batch", "Dataset", "Shard", "Split", "load"]
