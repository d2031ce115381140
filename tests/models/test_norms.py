"""Normalization layers against float64, where means are large against standard deviations."""

import jax
import numpy as np
import pytest
from flax import linen as nn

from resnet_jax.models.norms import BatchNorm, GroupNorm, LayerNorm, Mode

FLOAT32 = np.finfo(np.float32).eps
AXES = {"batch": (0, 1, 2), "group": (1, 2, 4), "layer": (1, 2, 3, 4)}
LAYERS = {"batch": BatchNorm(), "group": GroupNorm(4), "layer": LayerNorm()}


def in_float64(images: np.ndarray, kind: str) -> np.ndarray:
    """The layer's output at scale 1 and shift 0, from a variance in two passes."""
    grouped = np.float64(images).reshape(*images.shape[:-1], 4, -1)
    mean, variance = (f(grouped, AXES[kind], keepdims=True) for f in (np.mean, np.var))
    return ((grouped - mean) / np.sqrt(variance + 1e-5)).reshape(images.shape)


@pytest.mark.parametrize("ratio", [100, 1000])
@pytest.mark.parametrize("kind", LAYERS)
def test_statistics_are_accurate_where_the_mean_is_large(kind, ratio):
    """A mean off by a rounding shifts values by up to ratio * eps, and sums take a few roundings.
    Flax's default errs by 3e-3 and 0.4 in batch norm, by 1e-2 and 4 in group norm."""
    noise = np.random.default_rng(0).normal(size=(32, 8, 8, 8))
    images = np.float32(ratio + noise)

    class Network(nn.Module):
        @nn.compact
        def __call__(self, images):
            mode = Mode(train=True, dtype=np.float32)
            return LAYERS[kind](images, mode, name="norm", scale_init=nn.initializers.ones)

    normed, variables = Network().init_with_output(jax.random.key(0), images)
    np.testing.assert_allclose(normed, in_float64(images, kind), rtol=0, atol=4 * ratio * FLOAT32)
    # init leaves the running statistics as they are; a training call moves them a tenth of the way.
    if kind == "batch":
        _, updated = Network().apply(variables, images, mutable=["batch_stats"])
        moved = np.asarray(updated["batch_stats"]["norm"]["var"])
        expected = 0.9 + 0.1 * np.float64(images).var(axis=(0, 1, 2))
        np.testing.assert_allclose(moved, expected, rtol=4 * FLOAT32)
