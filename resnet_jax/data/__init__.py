"""Datasets whose batches are functions of the step, and augmentation on the device.

    dataset = data.load(config.data, batch_size=128, eval_batch_size=256, seed=0)
    batch = dataset.train_batch(step)

`load` and the types of `data.dataset` are imported when they are first used, so that
`data.catalog` can be read without importing JAX.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resnet_jax.data.dataset import Batch, Dataset, Shard, Split
    from resnet_jax.data.loading import load

__all__ = ["Batch", "Dataset", "Shard", "Split", "load"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "loading" if name == "load" else "dataset"
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)
