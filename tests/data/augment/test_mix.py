"""Mixup and cutmix against their papers' formulas, and the laws of what is drawn."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from resnet_jax.data import augment
from resnet_jax.data.augment import BatchSlice, mix

KEY = jax.random.key(0)
MIXES = {"mixup": augment.mixup, "cutmix": augment.cutmix}


def examples(count, size=8, channels=1):
    draws = np.random.default_rng(0)
    images = jnp.asarray(draws.normal(size=(count, size, size, channels)), jnp.float32)
    return images, jax.nn.one_hot(draws.integers(10, size=count), 10)


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_shares_are_beta(alpha):
    drawn = mix.sample_weights(KEY, alpha, BatchSlice(0, 2000), 2000)
    law = scipy.stats.beta(alpha, alpha)
    assert scipy.stats.kstest(np.asarray(drawn, float), law.cdf).pvalue > 1e-3


def test_mixup_is_the_formula_with_the_example_before():
    images, labels = examples(6, channels=3)
    mixed, shares = augment.mixup(KEY, images, labels, 1.0)
    kept = np.asarray(mix.sample_weights(KEY, 1.0, BatchSlice(0, 6), 6))
    for each, s in enumerate(kept):
        before = images[each - 1], labels[each - 1]
        np.testing.assert_allclose(mixed[each], s * images[each] + (1 - s) * before[0], atol=1e-6)
        np.testing.assert_allclose(shares[each], s * labels[each] + (1 - s) * before[1], atol=1e-6)


def test_a_share_of_one_changes_nothing():
    images, _ = examples(4)
    np.testing.assert_array_equal(mix.blend(images, jnp.ones(4)), images)
    assert not mix.box_masks(jnp.ones(4), jnp.zeros((4, 2)), 8, 8).any()


def test_cutmix_pastes_a_box_whose_area_is_the_share_of_its_label():
    count, size = 500, 10
    images = jnp.broadcast_to(
        jnp.arange(count, dtype=jnp.float32)[:, None, None, None] + 1, (count, size, size, 1)
    )
    labels = jnp.eye(count)
    mixed, shares = augment.cutmix(KEY, images, labels, 1.0)
    mixed, found = np.asarray(mixed)[..., 0], []
    for each in range(count):
        own, other = mixed[each] == each + 1, mixed[each] == (each - 1) % count + 1
        assert np.all(own ^ other)
        rows, columns = other.any(1).sum(), other.any(0).sum()
        assert other.sum() == rows * columns
        np.testing.assert_allclose(shares[each, each], own.mean(), atol=1e-6)
        np.testing.assert_allclose(shares[each, each - 1], other.mean(), atol=1e-6)
        found.append(other.mean())
    assert 0 < np.mean(found) < 0.5  # of half, on average, what hangs over the edge is lost


def test_a_box_that_lies_whole_in_the_image_has_the_area_asked_for():
    inside = mix.box_masks(jnp.array([0.75, 1 - 0.36]), jnp.array([[10, 10], [10, 10]]), 20, 20)
    assert inside.sum(axis=(1, 2)).tolist() == [100, 144]


@pytest.mark.parametrize("name", MIXES)
@pytest.mark.parametrize("channels", [1, 3])
def test_labels_add_up_to_one_and_draws_are_those_of_the_whole_batch(name, channels):
    images, labels = examples(8, channels=channels)
    mixed, shares = MIXES[name](KEY, images, labels, 1.0)
    assert mixed.shape == images.shape
    np.testing.assert_allclose(shares.sum(-1), 1, rtol=1e-6)
    again = [
        MIXES[name](KEY, images[at : at + 4], labels[at : at + 4], 1.0, BatchSlice(at, 8))
        for at in (0, 4)
    ]
    for part, at in zip(again, (0, 4), strict=True):  # all but the first, whose partner is another
        np.testing.assert_array_equal(part[0][1:], mixed[at + 1 : at + 4])
        np.testing.assert_array_equal(part[1][1:], shares[at + 1 : at + 4])
    assert np.any(MIXES[name](jax.random.key(1), images, labels, 1.0)[1] != shares)
