"""Rotations and squares: exact cases, and the laws of what is drawn."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
import scipy.stats

from resnet_jax.data import augment
from resnet_jax.data.augment import BatchSlice

KEY = jax.random.key(0)


def images(count, height=8, width=8, channels=3):
    draw = np.random.default_rng(0).normal(size=(count, height, width, channels))
    return jnp.asarray(draw, jnp.float32)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_quarter_turns_are_those_of_numpy(quarters, channels):
    batch = images(2, channels=channels)
    found = augment.rotate(batch, jnp.full(2, 90.0 * quarters))
    np.testing.assert_allclose(found, np.rot90(batch, quarters, axes=(1, 2)), atol=1e-5)


def test_a_turn_agrees_with_scipy_inside_of_the_image():
    batch = images(1, 16, 16)
    found = augment.rotate(batch, jnp.array([20.0]))[0]
    expected = scipy.ndimage.rotate(batch[0], 20.0, reshape=False, order=1)
    np.testing.assert_allclose(found[4:-4, 4:-4], expected[4:-4, 4:-4], atol=1e-5)
    assert np.all(found[0, 0] == 0)


def test_angles_are_uniform_up_to_the_largest_and_drawn_for_each():
    line = jnp.zeros((500, 33, 33, 1)).at[:, 16, 17:].set(1.0)  # to the right of the centre
    found = np.asarray(augment.random_rotate(KEY, line, 30.0))[..., 0]
    down, right = np.mgrid[-16:17, -16:17]
    across, along = (found * right).sum((1, 2)), (found * -down).sum((1, 2))
    angles = np.degrees(np.arctan2(along, across))
    assert np.abs(angles).max() < 30.5
    assert scipy.stats.kstest(angles, scipy.stats.uniform(-30, 60).cdf).pvalue > 1e-3


def squares(side, count=2000, size=6):
    """Top, left, height and width of each square that was set to zero."""
    cut = np.asarray(augment.cutout(KEY, jnp.ones((count, size, size, 1)), side))[..., 0] == 0
    for mask in cut:
        rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        assert mask.sum() == len(rows) * len(columns)
        yield rows[0], columns[0], len(rows), len(columns)


@pytest.mark.parametrize("side", [2, 3])
def test_cutout_is_a_square_about_any_pixel_that_may_hang_over_the_edge(side):
    size, before = 6, side // 2

    def square(y, x):
        top, left = max(y - before, 0), max(x - before, 0)
        bottom, right = (min(at - before + side, size) for at in (y, x))
        return top, left, bottom - top, right - left

    counts = {square(y, x): 0 for y in range(size) for x in range(size)}
    assert len(counts) == size * size  # each centre gives another square
    for each in squares(side, size=size):
        counts[each] += 1  # a KeyError for a square that no centre has
    assert scipy.stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_cutout_leaves_the_rest_as_it_is():
    batch = images(4)
    cut = augment.cutout(KEY, batch, 3)
    np.testing.assert_array_equal(np.where(cut == 0, 0, batch), cut)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "change",
    [
        lambda key, batch, rows: augment.random_rotate(key, batch, 30.0, rows),
        lambda key, batch, rows: augment.cutout(key, batch, 3, rows),
        lambda key, batch, rows: augment.augment(key, batch, 1, True, rows, degrees=9.0, cut=3),
    ],
    ids=["rotate", "cutout", "all"],
)
def test_a_part_of_a_batch_is_changed_as_in_the_whole(change, channels):
    batch = images(8, channels=channels)
    whole = change(KEY, batch, None)
    assert whole.shape == batch.shape
    parts = [change(KEY, batch[at : at + 4], BatchSlice(at, 8)) for at in (0, 4)]
    np.testing.assert_array_equal(jnp.concatenate(parts), whole)
    assert np.any(change(jax.random.key(1), batch, None) != whole)


def test_what_is_added_changes_none_of_the_other_draws():
    batch = jnp.abs(images(16)) + 1
    without = augment.augment(KEY, batch, 2, True)
    added = augment.augment(KEY, batch, 2, True, cut=3)
    np.testing.assert_array_equal(jnp.where(added == 0, 0, without), added)
