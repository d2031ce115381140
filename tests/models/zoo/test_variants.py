"""Networks of later papers and of tutorials: numbers of parameters, and missing projections."""

import re
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict
from made_variables import made_variables

from resnet_jax.errors import UserError
from resnet_jax.models import create, summarize
from resnet_jax.models.shortcuts import SHORTCUTS, identity, none
from resnet_jax.models.zoo import published
from resnet_jax.models.zoo.variants import TUTORIALS

KEY = jax.random.key(0)


@cache
def shapes(model, image=(32, 32, 3)) -> dict[str, tuple[int, ...]]:
    params = jax.eval_shape(model.init, KEY, jnp.zeros((1, *image)))["params"]
    return {path: leaf.shape for path, leaf in flatten_dict(params, sep="/").items()}


def count(model) -> int:
    return sum(int(np.prod(shape)) for shape in shapes(model).values())


def wide_params(depth: int, k: int, classes: int = 10) -> int:
    """WRN-depth-k: pre-activation, a norm before each 3x3 convolution and before the classifier."""
    units, entering, total = (depth - 4) // 6, 16, 3 * 9 * 16
    for width in (16 * k, 32 * k, 64 * k):
        total += entering * width  # the projection
        for unit in range(units):
            channels = entering if unit == 0 else width
            total += 2 * channels + 9 * channels * width + 2 * width + 9 * width * width
        entering = width
    return total + 2 * entering + entering * classes + classes


def grouped_params(depth: int, cardinality: int, d: int) -> int:
    """ResNeXt for CIFAR, in original order with projections that have norms."""
    units, entering, total = (depth - 2) // 9, 64, 3 * 9 * 64 + 2 * 64
    for width in (64, 128, 256):
        leaving, inner = 4 * width, width * d // 64 * cardinality
        total += entering * leaving + 2 * leaving
        for unit in range(units):
            channels = entering if unit == 0 else leaving
            total += channels * inner + 2 * inner
            total += 9 * inner * (inner // cardinality) + 2 * inner
            total += inner * leaving + 2 * leaving
        entering = leaving
    return total + entering * 10 + 10


@pytest.mark.parametrize(
    ("depth", "k", "printed"), [(16, 8, "11.0"), (28, 10, "36.5"), (40, 4, "8.9")]
)
def test_wide_networks_have_the_parameters_of_the_paper(depth, k, printed):
    """Zagoruyko and Komodakis 2016, Table 4, in millions."""
    exact = wide_params(depth, k)
    assert count(create(f"wrn{depth}-{k}")) == exact
    assert f"{exact / 1e6:.1f}" == printed


@pytest.mark.parametrize(("cardinality", "printed"), [(8, "34.4"), (16, "68.2")])
def test_grouped_networks_have_the_parameters_of_the_paper(cardinality, printed):
    """Xie et al. 2017, Table 7: 34.4M and 68.1M; the exact 68,155,210 rounds up."""
    exact = grouped_params(29, cardinality, 64)
    assert count(create(f"resnext29-{cardinality}x64d")) == exact
    assert f"{exact / 1e6:.1f}" == printed


@pytest.mark.parametrize("name", ["wide-resnet50-2", "resnext50-32x4d", "resnext101-32x8d"])
def test_imagenet_variants_have_the_published_parameters(name):
    assert count(create(name)) == published.network(name).params


def test_squeeze_and_excitation_adds_two_dense_layers_per_unit():
    """Hu et al. 2018, section 4: 2 / r times the sum of squares of the units' channels; biases."""
    added = sum(
        units * (2 * channels * (channels // 16) + channels // 16 + channels)
        for units, channels in zip((3, 4, 6, 3), (256, 512, 1024, 2048), strict=True)
    )
    assert count(create("se-resnet50")) == count(create("resnet50")) + added


def test_resnet_d_differs_by_the_deep_stem():
    """Three 3x3 kernels replace one of 7x7x3x64; pooling has no parameters."""
    deep = 9 * (3 * 32 + 32 * 32 + 32 * 64) + 2 * (32 + 32 + 64)
    assert count(create("resnet50-d")) == count(create("resnet50")) - (49 * 3 * 64 + 2 * 64) + deep


def test_stochastic_depth_adds_no_parameters():
    assert shapes(create("stochastic20")) == shapes(create("resnet20"))
    for depth in (110, 1202):
        assert create(f"stochastic{depth}") == create(f"resnet{depth}", survival=0.5)


def test_preactivation_200_has_the_parameters_of_its_formula():
    """He et al. 2016, section 4: stages of 3, 24, 36 and 3 bottlenecks; 64.7 million parameters."""
    total, entering = 3 * 49 * 64 + 2 * 64, 64
    for units, width in zip((3, 24, 36, 3), (64, 128, 256, 512), strict=True):
        leaving = 4 * width
        total += entering * leaving  # the projection, which has no norm in this order
        for unit in range(units):
            channels = entering if unit == 0 else leaving
            total += channels * width + 9 * width * width + width * leaving
            total += 2 * (channels + width + width)
        entering = leaving
    total += -2 * 64 + 2 * entering  # the first unit has no pre-activation, the head has one
    total += entering * 1000 + 1000
    assert count(create("preact200")) == total
    assert round(total / 1e6, 1) == 64.7


def test_units_of_one_layer():
    model = create("resnet110-single")
    assert (sum(model.stage_sizes), summarize(model).weighted_layers) == (108, 110)


# Tutorials omit projections that are needed, or have some that are not.


def bare_identity(x, preactivated, context):
    return x


IMAGE_PLUS_FEATURES = {"tutorial-unnormalized", "tutorial-on-the-image"}
NARROWER_PLUS_WIDER = {
    "tutorial-four-stages": 3,
    "tutorial-four-stages-bottleneck": 4,
    "tutorial-dropout": 2,
}


def terms_of_the_sum(name: str, image: tuple[int, int, int]) -> list[tuple[int, ...]]:
    """The shapes in the message that refuses a network: shortcut and branch of the first misfit."""
    with pytest.raises(UserError, match="shortcut 'B' gives") as refusal:
        shapes(create(name), image)
    named = re.findall(r"\d+(?:x\d+)+", str(refusal.value))
    return [tuple(map(int, shape.split("x"))) for shape in named]


@pytest.mark.parametrize("name", sorted(IMAGE_PLUS_FEATURES | NARROWER_PLUS_WIDER.keys()))
def test_without_projections_shapes_do_not_match(name, monkeypatch):
    monkeypatch.setitem(SHORTCUTS, "B", bare_identity)
    with pytest.raises(ValueError, match="broadcast"):
        np.add(*map(np.ones, terms_of_the_sum(name, (32, 32, 3))))


@pytest.mark.parametrize("name", sorted(IMAGE_PLUS_FEATURES))
def test_broadcasting_of_gray_images_is_refused_too(name, monkeypatch):
    """NumPy would add the one channel to all 64."""
    monkeypatch.setitem(SHORTCUTS, "B", bare_identity)
    shortcut, branch = terms_of_the_sum(name, (8, 8, 1))
    assert (shortcut, branch) == ((1, 8, 8, 1), (1, 8, 8, 64))
    assert np.broadcast_shapes(shortcut, branch) == branch


@pytest.mark.parametrize("name", sorted(IMAGE_PLUS_FEATURES | NARROWER_PLUS_WIDER.keys()))
def test_projections_are_the_only_addition_to_the_tutorials(name):
    model = create(name)
    added = shapes(model).keys() - shapes(model.clone(shortcut=none)).keys()
    kernels = {path for path in added if path.endswith("shortcut/conv/kernel")}
    assert len(kernels) == NARROWER_PLUS_WIDER.get(name, 1)
    norms = {path for path in added if "shortcut/norm" in path}
    branch_ends_in_norm = name in ("tutorial-four-stages", "tutorial-on-the-image")
    assert len(norms) == (2 * len(kernels) if branch_ends_in_norm else 0)
    assert added == kernels | norms


def test_projections_beside_identities_are_not_needed():
    """Units of one width need no projection; each has 64 * 64 weights and a norm."""
    model = create("tutorial-one-stage")
    assert count(model) - count(model.clone(shortcut=identity)) == 4 * (64 * 64 + 2 * 64)


def assert_classifies(model, image):
    """Logits of a training step are finite and have the shape (batch, classes)."""
    variables = made_variables(model, image)
    apply = jax.jit(partial(model.apply, train=True, mutable=["batch_stats"]))
    logits, _ = apply(variables, jnp.ones((2, *image)), rngs={"dropout": KEY})
    assert logits.shape == (2, 10)
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("name", TUTORIALS)
def test_tutorial_networks_classify_with_narrow_short_stages(name):
    model = create(name)
    narrow = tuple(width // 16 for width in model.widths)
    assert_classifies(model.clone(stage_sizes=(1,) * len(narrow), widths=narrow), (8, 8, 1))


@pytest.mark.parametrize("name", TUTORIALS)
@pytest.mark.parametrize(
    "image",
    [
        pytest.param((8, 8, 1), marks=pytest.mark.slow),
        pytest.param((32, 32, 3), marks=pytest.mark.long),
    ],
)
def test_tutorial_networks_classify(name, image):
    assert_classifies(create(name), image)


@pytest.mark.parametrize("name", TUTORIALS)
def test_tutorial_networks_accept_large_images(name):
    images = jax.ShapeDtypeStruct((2, 224, 224, 3), jnp.float32)
    logits, _ = jax.eval_shape(create(name).init_with_output, KEY, images)
    assert logits.shape == (2, 10)
