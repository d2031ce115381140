import io
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from PIL import Image

from resnet_jax.data import image_ops as pictures
from resnet_jax.data.tfds.folders import Prepared
from resnet_jax.errors import UserError

SET = Prepared("some_set", Path("some_folder"))


def encoded(mode, kind):
    file = io.BytesIO()
    Image.new(mode, (6, 4), color=77 if mode == "L" else None).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "JPEG"), ("RGB", "JPEG"), ("CMYK", "JPEG"), ("RGBA", "PNG"), ("P", "PNG")],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_decode_gives_the_channels_asked_for(mode, kind, channels):
    picture = pictures.decode(encoded(mode, kind), channels, SET)
    assert pictures.pixels(picture).shape == (4, 6, channels)
    assert pictures.pixels(picture).dtype == np.uint8


def test_grey_pixels_are_kept():
    assert (pictures.pixels(pictures.decode(encoded("L", "PNG"), 3, SET)) == 77).all()


@pytest.mark.parametrize("content", [b"", b"these are words", encoded("RGB", "JPEG")[:200]])
def test_what_is_no_image_is_a_clear_error(content):
    with pytest.raises(UserError, match=r"'some_set' in some_folder .* data prepare some_set"):
        pictures.decode(content, 3, SET)


def boxes(width, height, count=2000):
    draws = np.random.RandomState(0).uniform(size=(count, pictures.DRAWS))
    return np.array([pictures.random_box(width, height, d) for d in draws])


def test_random_boxes_are_of_the_published_sizes_and_shapes():
    left, top, right, bottom = boxes(500, 400).T
    assert (left >= 0).all()
    assert (top >= 0).all()
    assert (right <= 500).all()
    assert (bottom <= 400).all()
    area, ratio = (right - left) * (bottom - top) / 200_000, (right - left) / (bottom - top)
    assert area.min() > 0.079
    assert area.max() > 0.9
    assert ratio.min() > 0.74
    assert ratio.max() < 1.35


def test_small_boxes_are_uniform_in_area_and_log_ratio():
    # Below 3/5 of the area every ratio fits a 500 x 400 picture, so that nothing is drawn again.
    left, top, right, bottom = boxes(500, 400).T
    area = (right - left) * (bottom - top) / 200_000
    small = area < 0.55
    log_ratio = np.log((right - left) / (bottom - top))[small] / np.log(4 / 3)
    assert scipy.stats.kstest((area[small] - 0.08) / 0.47, "uniform").pvalue > 1e-3
    assert scipy.stats.kstest((log_ratio + 1) / 2, "uniform").pvalue > 1e-3


def test_a_picture_that_no_box_fits_gives_its_largest_central_one():
    assert set(map(tuple, boxes(1000, 3, 50))) >= {(498, 0, 502, 3)}


def test_center_box_is_resize_to_256_and_crop_to_224():
    down, across = np.mgrid[:375, :500]
    picture = Image.fromarray(
        (127 + 60 * np.sin(down / 30) + 60 * np.cos(across / 40)).astype("u1")
    )
    shorter_256 = picture.resize((341, 256), Image.Resampling.BILINEAR)
    expected = np.asarray(shorter_256.crop((58, 16, 282, 240)), float)
    got = np.asarray(pictures.resize(picture, pictures.center_box(500, 375), 224), float)
    assert np.abs(got - expected).mean() < 1
