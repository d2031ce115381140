"""Rotation and cutout: exact cases, and the distributions of their random draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
import scipy.stats

from resnet_jax.data import augment
from resnet_jax.data.augment import BatchSlice

KEY = jax.random.key(0)
rotate = jax.jit(augment.rotate)


def images(count, height=8, width=8, channels=3):
    draw = np.random.default_rng(0).normal(size=(count, height, width, channels))
    return jnp.asarray(draw, jnp.float32)


@pytest.mark.parametrize("channels", [1, 3])
def test_quarter_turns_are_those_of_numpy(channels):
    batch = images(4, channels=channels)
    found = rotate(batch, 90.0 * jnp.arange(4))
    for quarters, image in enumerate(found):
        np.testing.assert_allclose(image, np.rot90(batch[quarters], quarters), atol=1e-5)


def test_a_rotation_agrees_with_scipy_inside_the_image():
    batch = images(1, 16, 16)
    found = np.asarray(rotate(batch, jnp.array([20.0])))[0]
    expected = scipy.ndimage.rotate(batch[0], 20.0, reshape=False, order=1)
    np.testing.assert_allclose(found[4:-4, 4:-4], expected[4:-4, 4:-4], atol=1e-5)
    assert np.all(found[0, 0] == 0)


def test_angles_are_uniform_up_to_the_largest_and_drawn_for_each_image():
    line = np.zeros((500, 33, 33, 1), np.float32)
    line[:, 16, 17:] = 1  # to the right of the center
    found = np.asarray(jax.jit(augment.random_rotate)(KEY, line, 30.0))[..., 0]
    down, right = np.mgrid[-16:17, -16:17]
    across, along = (found * right).sum((1, 2)), (found * -down).sum((1, 2))
    angles = np.degrees(np.arctan2(along, across))
    assert np.abs(angles).max() < 30.5
    assert scipy.stats.kstest(angles, scipy.stats.uniform(-30, 60).cdf).pvalue > 1e-3


def squares(side, count=2000, size=6):
    """Top, left, height and width of each square that cutout set to zero."""
    cutout = jax.jit(augment.cutout, static_argnums=2)
    cut = np.asarray(cutout(KEY, np.ones((count, size, size, 1), np.float32), side))[..., 0] == 0
    for mask in cut:
        rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        assert mask.sum() == len(rows) * len(columns)
        yield rows[0], columns[0], len(rows), len(columns)


@pytest.mark.parametrize("side", [2, 3])
def test_cutout_is_a_square_about_any_pixel_clipped_at_the_border(side):
    size, before = 6, side // 2

    def square(y, x):
        top, left = max(y - before, 0), max(x - before, 0)
        bottom, right = (min(at - before + side, size) for at in (y, x))
        return top, left, bottom - top, right - left

    counts = {square(y, x): 0 for y in range(size) for x in range(size)}
    assert len(counts) == size * size  # each center gives another square
    for each in squares(side, size=size):
        counts[each] += 1  # a KeyError for a square that no center has
    assert scipy.stats.chisquare(list(counts.values())).pvalue > 1e-3


@pytest.mark.parametrize(
    ("change", "channels"),
    [
        (lambda key, batch, rows: augment.random_rotate(key, batch, 30.0, rows), 3),
        (lambda key, batch, rows: augment.cutout(key, batch, 3, rows), 3),
        (
            lambda key, batch, rows: augment.augment(key, batch, 1, True, rows, degrees=9.0, cut=3),
            1,
        ),
    ],
    ids=["rotate", "cutout", "all"],
)
def test_a_slice_of_a_batch_is_changed_as_in_the_whole(change, channels):
    run = jax.jit(lambda key, batch: change(key, batch, None))
    sliced = jax.jit(lambda batch, start: change(KEY, batch, BatchSlice(start, 8)))
    batch = images(8, channels=channels)
    whole = run(KEY, batch)
    assert whole.shape == batch.shape
    parts = [sliced(batch[at : at + 4], at) for at in (0, 4)]
    np.testing.assert_array_equal(jnp.concatenate(parts), whole)
    assert np.any(run(jax.random.key(1), batch) != whole)


def test_cutout_changes_no_other_pixel_and_no_other_draw():
    @jax.jit
    def both(batch):
        return augment.augment(KEY, batch, 2, True), augment.augment(KEY, batch, 2, True, cut=3)

    without, added = map(np.asarray, both(jnp.abs(images(16)) + 1))
    assert np.any(added == 0, axis=(1, 2, 3)).all()
    np.testing.assert_array_equal(np.where(added == 0, 0, without), added)
