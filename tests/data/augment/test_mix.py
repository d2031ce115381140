"""Mixup and cutmix against their papers' formulas, and the distributions of their draws."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from resnet_jax.data import augment
from resnet_jax.data.augment import BatchSlice, mix

KEY = jax.random.key(0)
MIXES = {"mixup": jax.jit(augment.mixup), "cutmix": jax.jit(augment.cutmix)}
SIZES = {"mixup": (2000, 3, 3, 3), "cutmix": (500, 10, 10, 1)}


@functools.cache
def batch(name):
    """Images and labels of two classes, of which neighbors have different ones."""
    count, *_ = SIZES[name]
    if name == "mixup":
        images = np.random.default_rng(0).normal(size=SIZES[name]).astype(np.float32)
    else:
        images = np.arange(count, dtype=np.float32)[:, None, None, None] + 1
        images = np.broadcast_to(images, SIZES[name])
    return images, np.eye(2, dtype=np.float32)[np.arange(count) % 2]


@functools.cache
def mixed(name, alpha=1.0, seed=0):
    """The mixed images and labels."""
    found = MIXES[name](jax.random.key(seed), *batch(name), alpha)
    return tuple(map(np.asarray, found))


def weights(name, alpha=1.0):
    """The share that each label keeps."""
    return np.sum(mixed(name, alpha)[1] * batch(name)[1], axis=1)


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_weights_are_beta(alpha):
    law = scipy.stats.beta(alpha, alpha)
    assert scipy.stats.kstest(weights("mixup", alpha).astype(float), law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_is_the_formula_with_the_example_before(alpha):
    w = weights("mixup", alpha)[:, None]
    for values, found in zip(batch("mixup"), mixed("mixup", alpha), strict=True):
        values, found = values.reshape(len(w), -1), found.reshape(len(w), -1)
        expected = w * values + (1 - w) * np.roll(values, 1, axis=0)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_weight_of_one_changes_nothing():
    images = batch("mixup")[0][:4]
    np.testing.assert_array_equal(mix.blend(jnp.asarray(images), jnp.ones(4)), images)
    assert not mix.box_masks(jnp.ones(4), jnp.zeros((4, 2), int), 8, 8).any()


def test_cutmix_pastes_a_box_whose_area_is_the_weight_of_its_label():
    (images, labels), found = mixed("cutmix"), []
    for each, image in enumerate(images[..., 0]):
        own, other = image == each + 1, image == (each - 1) % len(images) + 1
        assert np.all(own ^ other)
        rows, columns = other.any(1).sum(), other.any(0).sum()
        assert other.sum() == rows * columns
        np.testing.assert_allclose(labels[each, each % 2], own.mean(), atol=1e-6)
        np.testing.assert_allclose(labels[each, 1 - each % 2], other.mean(), atol=1e-6)
        found.append(other.mean())
    assert 0 < np.mean(found) < 0.5  # half on average, less what is clipped at the border


def test_a_box_inside_the_image_has_the_area_asked_for():
    inside = mix.box_masks(jnp.array([0.75, 1 - 0.36]), jnp.array([[10, 10], [10, 10]]), 20, 20)
    assert inside.sum(axis=(1, 2)).tolist() == [100, 144]


@pytest.mark.parametrize("name", MIXES)
def test_labels_sum_to_one_and_draws_are_those_of_the_whole_batch(name):
    images, labels = mixed(name)
    assert images.shape == SIZES[name]
    np.testing.assert_allclose(labels.sum(-1), 1, rtol=1e-6)
    count = len(images) // 2

    @jax.jit
    def sliced(images, labels, start):
        return getattr(augment, name)(KEY, images, labels, 1.0, BatchSlice(start, 2 * count))

    for start in (0, count):
        part = slice(start, start + count)
        found = sliced(*(values[part] for values in batch(name)), start)
        # All but the first of a slice, whose partner is another.
        np.testing.assert_array_equal(found[0][1:], images[part][1:])
        np.testing.assert_array_equal(found[1][1:], labels[part][1:])
    assert np.any(mixed(name, seed=1)[1] != labels)
