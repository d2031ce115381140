import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from resnet_jax.data import augment

KEY = jax.random.key(0)


def images(count, height=6, width=5, channels=3):
    return np.random.RandomState(0).randn(count, height, width, channels).astype(np.float32)


def test_normalize_is_the_formula():
    pixels = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    mean, std = np.float32([10, 20, 30]), np.float32([2, 4, 8])
    got = augment.normalize(*map(jnp.asarray, (pixels, mean, std)))
    assert got.dtype == jnp.float32
    np.testing.assert_allclose(got, (pixels.astype(np.float64) - mean) / std, rtol=1e-6)


def offsets(batch, padding):
    """The position of each crop in the padded image, found by search."""
    crop = jax.jit(augment.pad_and_crop, static_argnums=2)
    cropped = np.asarray(crop(KEY, batch, padding))
    height, width = batch.shape[1:3]
    found = []
    for before, after in zip(batch, cropped, strict=True):
        padded = np.pad(before, ((padding, padding), (padding, padding), (0, 0)))
        places = [
            (top, left)
            for top in range(2 * padding + 1)
            for left in range(2 * padding + 1)
            if (padded[top : top + height, left : left + width] == after).all()
        ]
        assert len(places) == 1
        found += places
    return found


def test_crops_are_uniform_over_the_padded_image():
    padding = 2
    places = offsets(images(2000), padding)
    counts = np.zeros((2 * padding + 1, 2 * padding + 1))
    for place in places:
        counts[place] += 1
    assert scipy.stats.chisquare(counts.ravel()).pvalue > 1e-3


def test_flip_mirrors_half_of_the_images_left_to_right():
    batch = images(1000)
    got = np.asarray(jax.jit(augment.flip)(KEY, batch))
    mirrored = (got == batch[:, :, ::-1]).all((1, 2, 3))
    kept = (got == batch).all((1, 2, 3))
    assert (mirrored ^ kept).all()
    assert scipy.stats.binomtest(int(mirrored.sum()), 1000).pvalue > 1e-3


def test_disabled_augmentations_change_nothing():
    batch = jnp.asarray(images(4))
    assert (augment.augment(KEY, batch, 0, False) == batch).all()


@pytest.mark.parametrize(("crop_padding", "mirror"), [(1, False), (0, True), (1, True)])
def test_augment_is_a_function_of_its_key(crop_padding, mirror):
    batch = jnp.asarray(images(32))
    run = jax.jit(lambda key: augment.augment(key, batch, crop_padding, mirror))
    assert (run(KEY) == augment.augment(KEY, batch, crop_padding, mirror)).all()
    assert (run(KEY) != run(jax.random.key(1))).any()
    assert run(KEY).shape == batch.shape
