import numpy as np
import pytest

from resnet_jax.data import normalization
from resnet_jax.errors import UserError

IMAGES = np.random.RandomState(0).randint(0, 256, (9000, 4, 3, 2)).astype(np.uint8)


def test_channel_moments_are_numpys():
    mean, std = normalization.moments(IMAGES, "channel")
    assert mean.dtype == std.dtype == np.float32
    np.testing.assert_allclose(mean, IMAGES.astype(float).mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(std, IMAGES.astype(float).std((0, 1, 2)), rtol=1e-6)


def test_pixel_moments_leave_zero_mean_images_and_unit_deviation():
    mean, std = normalization.moments(IMAGES, "pixel")
    normalized = (IMAGES.astype(float) - mean) / std
    assert mean.shape == IMAGES.shape[1:]
    np.testing.assert_allclose(normalized.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(normalized.std(), 1, rtol=1e-6)


def test_none_scales_pixels_to_0_and_1():
    mean, std = normalization.moments(IMAGES, "none")
    assert (np.array([0, 255]) - mean).tolist() == [0, 255]
    assert std.tolist() == [255]


@pytest.mark.parametrize("kind", ["pixel", "channel", "none"])
def test_constant_images_divide_by_no_zero(kind):
    constant = np.full((10, 4, 4, 1), 7, np.uint8)
    mean, std = normalization.moments(constant, kind)
    assert np.isfinite((constant - mean) / std).all()


def test_streamed_sets_have_imagenets_moments():
    mean, std = normalization.imagenet_moments("channel", 3)
    np.testing.assert_allclose(mean / 255, [0.485, 0.456, 0.406], rtol=1e-6)
    np.testing.assert_allclose(std / 255, [0.229, 0.224, 0.225], rtol=1e-6)


@pytest.mark.parametrize(("kind", "channels"), [("pixel", 3), ("channel", 1)])
def test_there_are_no_constants_for_other_cases(kind, channels):
    with pytest.raises(UserError, match=r"data\.normalize"):
        normalization.imagenet_moments(kind, channels)
