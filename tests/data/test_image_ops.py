import io

import numpy as np
import pytest
import scipy.stats
from PIL import Image

from resnet_jax.data import image_ops


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
    image = image_ops.decode(encoded(mode, kind), channels)
    assert image_ops.to_array(image).shape == (4, 6, channels)
    assert image_ops.to_array(image).dtype == np.uint8


def test_gray_pixels_are_kept():
    assert (image_ops.to_array(image_ops.decode(encoded("L", "PNG"), 3)) == 77).all()


@pytest.mark.parametrize("content", [b"", b"these are words", encoded("RGB", "JPEG")[:200]])
def test_bytes_that_are_not_a_complete_image_are_refused(content):
    with pytest.raises(ValueError, match=f"{len(content)} bytes"):
        image_ops.decode(content, 3)


def boxes(width, height, count=2000):
    draws = np.random.RandomState(0).uniform(size=(count, image_ops.NUM_DRAWS))
    return np.array([image_ops.random_box(width, height, d) for d in draws])


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
    # Below 3/5 of the area every ratio fits a 500 x 400 image, so nothing is drawn again.
    left, top, right, bottom = boxes(500, 400).T
    area = (right - left) * (bottom - top) / 200_000
    small = area < 0.55
    log_ratio = np.log((right - left) / (bottom - top))[small] / np.log(4 / 3)
    assert scipy.stats.kstest((area[small] - 0.08) / 0.47, "uniform").pvalue > 1e-3
    assert scipy.stats.kstest((log_ratio + 1) / 2, "uniform").pvalue > 1e-3


def test_an_image_that_no_box_fits_gives_its_largest_central_one():
    assert set(map(tuple, boxes(1000, 3, 50))) >= {(498, 0, 502, 3)}


def test_center_box_is_resize_to_256_and_crop_to_224():
    down, across = np.mgrid[:375, :500]
    image = Image.fromarray((127 + 60 * np.sin(down / 30) + 60 * np.cos(across / 40)).astype("u1"))
    shorter_256 = image.resize((341, 256), Image.Resampling.BILINEAR)
    expected = np.asarray(shorter_256.crop((58, 16, 282, 240)), float)
    got = np.asarray(image_ops.resize(image, image_ops.center_box(500, 375), 224), float)
    assert np.abs(got - expected).mean() < 1
