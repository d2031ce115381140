"""Parameters, multiply-adds and shapes, unit by unit."""

import math
from functools import cache

import pytest

from resnet_jax.models import create, from_settings, summarize_by_name
from resnet_jax.models import summarize as summarize_once
from resnet_jax.models.branches import Basic
from resnet_jax.models.zoo import published

summarize = cache(summarize_once)
PAPER = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]


@pytest.mark.parametrize("name", PAPER)
def test_multiply_adds_agree_with_the_paper_to_two_digits(name):
    """He et al. 2015, Table 1, whose networks of basic units have option A.

    It prints 3.8e9 for the 3.86e9 of ResNet-50 and rounds the others, so
    its number is rounded down here.
    """
    option = "A" if create(name).branch == Basic() else "B"
    ours = summarize(create(name, shortcut=option)).multiply_adds / 1e9
    paper = published.network(name).multiply_adds / 1e9
    assert (math.floor(10 * ours) / 10 if name == "resnet50" else round(ours, 1)) == paper


def test_every_row_of_a_small_network_by_hand():
    summary = summarize(
        from_settings((1, 1), widths=(4, 8), num_classes=5, shortcut="B"), (6, 6, 3)
    )
    rows = [(r.stage, r.unit, r.output, r.params, r.multiply_adds) for r in summary.rows]
    assert rows == [
        ("stem", "", (6, 6, 4), 9 * 3 * 4 + 8, 36 * 9 * 3 * 4),
        ("stage1", "unit01", (6, 6, 4), 2 * (9 * 16 + 8), 2 * 36 * 9 * 16),
        (
            "stage2",
            "unit01",
            (3, 3, 8),
            (9 * 32 + 16) + (9 * 64 + 16) + (32 + 16),
            9 * (9 * 32 + 9 * 64 + 32),
        ),
        ("head", "", (5,), 8 * 5 + 5, 8 * 5),
    ]
    assert summary.params == sum(row[3] for row in rows)
    assert summary.multiply_adds == sum(row[4] for row in rows)


def test_stride_of_a_bottleneck_counts():
    """With the stride on the 3x3 convolution (version 1.5) ResNet-50 has 4.1e9 multiply-adds."""
    assert summarize(create("resnet50", stride_on="conv2")).multiply_adds == pytest.approx(
        4.09e9, rel=0.005
    )


@pytest.mark.parametrize(
    "name", ["plain20", "resnet56", "preact44", "preact164", "resnet29-bottleneck", *PAPER]
)
def test_weighted_layers_are_the_depth_in_the_name(name):
    digits = name.removesuffix("-bottleneck").lstrip("plainresctk")
    assert summarize(create(name)).weighted_layers == int(digits)


@pytest.mark.parametrize(
    ("name", "shape", "last"),
    [("resnet20", (8, 8, 1), (2, 2, 64)), ("resnet20", (28, 28, 1), (7, 7, 64))],
)
def test_shapes_of_other_images(name, shape, last):
    assert summarize(create(name), shape).rows[-2].output == last


def test_summaries_by_name_have_published_results():
    summary = summarize_by_name("resnet34")
    assert summary.image_shape == (224, 224, 3)
    assert summary.rows[0].output == (56, 56, 64)
    assert summary.published.params == summary.params
    assert summarize_by_name("resnet8").published is None


def test_published_results():
    assert published.network("resnet56").errors == {"CIFAR-10": 6.97}
    assert published.network("resnet110").errors == {
        "CIFAR-10, best of 5": 6.43,
        "CIFAR-10, median of 5": 6.61,
    }
    assert published.network("preact164").errors == {
        "CIFAR-10, median of 5": 5.46,
        "CIFAR-100, median of 5": 24.33,
    }
    plain = published.network("plain56")
    assert (plain.params, plain.errors) == (853018, {})
    assert published.network("resnet34").errors["ImageNet top-1, 10 crops"] == 24.52
    assert published.network("resnet34").multiply_adds == 3.6e9
    assert published.network("preact20") is None
    assert published.network("source") is None
