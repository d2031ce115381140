"""The operations of RandAugment against Pillow's, and the distribution of their draws."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from PIL import Image, ImageEnhance, ImageOps

from resnet_jax.data.augment import BatchSlice, operations, rand_augment
from resnet_jax.data.augment.operations import OPERATIONS

KEY = jax.random.key(0)
ENHANCE = {
    "color": ImageEnhance.Color,
    "contrast": ImageEnhance.Contrast,
    "brightness": ImageEnhance.Brightness,
    "sharpness": ImageEnhance.Sharpness,
}


def smooth_image(channels, height=20, width=24):
    """Smooth, with few values near 0 and 255, as photographs are."""
    draws = np.random.default_rng(0).normal(size=(height + 4, width + 4, channels))
    smooth = sum(draws[i : i + height, j : j + width] for i in range(5) for j in range(5))
    return np.clip(110 + 14 * smooth, 0, 255).astype(np.uint8)


def pillow(pixels):
    return Image.fromarray(pixels if pixels.shape[-1] == 3 else pixels[..., 0])


def affine(image, *rows):
    return image.transform(
        image.size, Image.Transform.AFFINE, rows, fillcolor=(128,) * len(image.getbands())
    )


def theirs(name, pixels, strength, sign):
    """The operation by Pillow as in torchvision's RandAugment, but about the image's center."""
    image = pillow(pixels)
    width, height = image.size
    shear = 0.3 * strength * sign
    if name in ENHANCE:
        return ENHANCE[name](image).enhance(1 + 0.9 * strength * sign)
    return {
        "identity": lambda: image,
        "autocontrast": lambda: ImageOps.autocontrast(image),
        "equalize": lambda: ImageOps.equalize(image),
        "solarize": lambda: ImageOps.solarize(image, 255 * (1 - strength)),
        "posterize": lambda: ImageOps.posterize(image, 8 - round(4 * strength)),
        "rotate": lambda: image.rotate(
            30 * strength * sign, fillcolor=(128,) * len(image.getbands())
        ),
        "shear_x": lambda: affine(image, 1, shear, -shear * height / 2, 0, 1, 0),
        "shear_y": lambda: affine(image, 1, 0, 0, shear, 1, -shear * width / 2),
        "translate_x": lambda: affine(
            image, 1, 0, int(150 / 331 * width * strength * sign), 0, 1, 0
        ),
        "translate_y": lambda: affine(
            image, 1, 0, 0, 0, 1, int(150 / 331 * height * strength * sign)
        ),
    }[name]()


@jax.jit
def every_operation(image, strength, sign):
    """The results of all operations, compiled together, which is faster than one by one."""
    return {name: change(image, strength, sign) for name, change in OPERATIONS.items()}


@functools.cache
def ours(channels, strength, sign):
    image = jnp.asarray(smooth_image(channels), jnp.float32)
    return every_operation(image, jnp.float32(strength), jnp.float32(sign))


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("strength", "sign"), [(0.3, 1.0), (0.7, -1.0), (1.0, 1.0)])
def test_operations_do_what_pillows_do(name, channels, strength, sign):
    pixels = smooth_image(channels)
    found = np.asarray(ours(channels, strength, sign)[name])
    expected = np.asarray(theirs(name, pixels, strength, sign), np.float32).reshape(found.shape)
    assert found.min() >= 0 and found.max() <= 255 and np.all(found == np.round(found))  # noqa: PT018
    if name in (
        "rotate",
        "shear_x",
        "shear_y",
    ):  # where two pixels are equally near, either is right
        assert np.mean(np.abs(found - expected) > 1) < 0.02
    else:
        np.testing.assert_allclose(found, expected, atol=1)


def test_all_operations_accept_small_and_constant_images():
    for image in (jnp.zeros((2, 2, 3)), jnp.full((1, 1, 1), 255.0)):
        for found in every_operation(image, jnp.float32(1.0), jnp.float32(-1.0)).values():
            assert found.shape == image.shape
            assert np.all((found >= 0) & (found <= 255))


def test_there_are_the_fourteen_of_the_paper():
    assert len(OPERATIONS) == 14


def test_each_image_has_one_operation_with_equal_chances(monkeypatch):
    numbers = {
        name: (lambda image, *_, n=n: jnp.full_like(image, n)) for n, name in enumerate(OPERATIONS)
    }
    for name, change in numbers.items():
        monkeypatch.setitem(operations.OPERATIONS, name, change)
    run = jax.jit(lambda batch: rand_augment(KEY, batch, 1, 9.0))
    found = run(np.zeros((3000, 1, 1, 1), np.uint8))
    counts = np.bincount(np.asarray(found).ravel(), minlength=14)
    assert scipy.stats.chisquare(counts).pvalue > 1e-3


def test_signs_are_random_and_operations_are_applied_in_sequence(monkeypatch):
    for name in OPERATIONS:
        monkeypatch.setitem(operations.OPERATIONS, name, lambda image, m, sign: image + sign)
    run = jax.jit(lambda batch: rand_augment(KEY, batch, 2, 9.0))
    found = np.asarray(run(np.full((2000, 1, 1, 1), 100, np.uint8))).ravel()
    counts = [np.sum(found == value) for value in (98, 100, 102)]
    assert sum(counts) == 2000
    assert scipy.stats.chisquare(counts, [500, 1000, 500]).pvalue > 1e-3


@pytest.mark.parametrize("channels", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_a_slice_of_a_batch_is_changed_as_in_the_whole(channels):
    batch = jnp.asarray(np.stack([smooth_image(channels, 8, 8)] * 8))
    run = jax.jit(lambda batch, start, key: rand_augment(key, batch, 2, 9.0, BatchSlice(start, 8)))
    whole = run(batch, 0, KEY)
    assert (whole.shape, whole.dtype) == (batch.shape, jnp.uint8)
    parts = [run(batch[at : at + 4], at, KEY) for at in (0, 4)]
    np.testing.assert_array_equal(jnp.concatenate(parts), whole)
    assert np.any(run(batch, 0, jax.random.key(1)) != whole)
