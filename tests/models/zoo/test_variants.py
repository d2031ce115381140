"""Networks of later papers and of tutorials: counts, and what tutorials leave out."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from resnet_jax.errors import UserError
from resnet_jax.models import create, initialize, summarize
from resnet_jax.models.shortcuts import SHORTCUTS, identity, none
from resnet_jax.models.zoo import published
from resnet_jax.models.zoo.variants import TUTORIALS

KEY = jax.random.key(0)


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


def test_squeeze_and_excitation_adds_two_dense_layers_a_unit():
    """Hu et al. 2018, section 4: 2 / r times the sum of squares of the units' channels; biases."""
    added = sum(
        units * (2 * channels * (channels // 16) + channels // 16 + channels)
        for units, channels in zip((3, 4, 6, 3), (256, 512, 1024, 2048), strict=True)
    )
    assert count(create("se-resnet50")) == count(create("resnet50")) + added


def test_the_deep_stem_is_what_resnet_d_adds():
    """Pooling has no parameters: 7x7x3x64 gives way to 3x3 kernels of 3, 32, 32 and 64 channels."""
    deep = 9 * (3 * 32 + 32 * 32 + 32 * 64) + 2 * (32 + 32 + 64)
    assert count(create("resnet50-d")) == count(create("resnet50")) - (49 * 3 * 64 + 2 * 64) + deep


def test_stochastic_depth_has_the_parameters_of_its_twin():
    assert shapes(create("stochastic110")) == shapes(create("resnet110"))
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
    total += -2 * 64 + 2 * entering  # the first unit has no opening, and the head has one
    total += entering * 1000 + 1000
    assert count(create("preact200")) == total
    assert round(total / 1e6, 1) == 64.7


def test_one_layer_units():
    model = create("resnet110-single")
    assert (sum(model.stage_sizes), summarize(model).weighted_layers) == (108, 110)


# What tutorials leave out: each adds what has another shape, or adds more than is needed.


def bare_identity(x, preactivated, context):
    return x


IMAGE_MEETS_FEATURES = {"tutorial-unnormalized", "tutorial-on-the-image"}
STAGES_MEET = {
    "tutorial-four-stages": 3,
    "tutorial-four-stages-bottleneck": 4,
    "tutorial-dropout": 2,
}


def terms_of_the_sum(name: str, image: tuple[int, int, int]) -> list[tuple[int, ...]]:
    """The shapes of what a network that is refused adds in the unit that it is refused for."""
    with pytest.raises(UserError, match="shortcut 'B' gives") as refused:
        shapes(create(name), image)
    told = re.findall(r"\d+(?:x\d+)+", str(refused.value))
    return [tuple(map(int, shape.split("x"))) for shape in told]


@pytest.mark.parametrize("name", sorted(IMAGE_MEETS_FEATURES | STAGES_MEET.keys()))
def test_with_bare_identities_shapes_cannot_be_added(name, monkeypatch):
    monkeypatch.setitem(SHORTCUTS, "B", bare_identity)
    with pytest.raises(ValueError, match="broadcast"):
        np.add(*map(np.ones, terms_of_the_sum(name, (32, 32, 3))))


@pytest.mark.parametrize("name", sorted(IMAGE_MEETS_FEATURES))
def test_on_grey_images_the_same_mistake_would_go_unnoticed(name, monkeypatch):
    """One channel would be added to all 64 by broadcasting; we refuse that too."""
    monkeypatch.setitem(SHORTCUTS, "B", bare_identity)
    shortcut, branch = terms_of_the_sum(name, (8, 8, 1))
    assert (shortcut, branch) == ((1, 8, 8, 1), (1, 8, 8, 64))
    assert np.broadcast_shapes(shortcut, branch) == branch


@pytest.mark.parametrize("name", sorted(IMAGE_MEETS_FEATURES | STAGES_MEET.keys()))
def test_ours_adds_the_projections_and_nothing_else(name):
    model = create(name)
    added = shapes(model).keys() - shapes(model.clone(shortcut=none)).keys()
    kernels = {path for path in added if path.endswith("shortcut/conv/kernel")}
    assert len(kernels) == STAGES_MEET.get(name, 1)
    norms = {path for path in added if "shortcut/norm" in path}
    closes_with_norm = name in ("tutorial-four-stages", "tutorial-on-the-image")
    assert len(norms) == (2 * len(kernels) if closes_with_norm else 0)
    assert added == kernels | norms


def test_a_projection_beside_the_identity_is_more_than_is_needed():
    """Units of one width add up without it; it costs 64 * 64 weights and a norm in each."""
    model = create("tutorial-one-stage")
    assert count(model) - count(model.clone(shortcut=identity)) == 4 * (64 * 64 + 2 * 64)


@pytest.mark.parametrize("name", TUTORIALS)
@pytest.mark.parametrize("image", [(8, 8, 1), pytest.param((32, 32, 3), marks=pytest.mark.long)])
def test_tutorial_networks_classify(name, image):
    model = create(name)
    variables = initialize(model, KEY, image)
    images = jax.random.normal(KEY, (2, *image))
    streams = {"dropout": KEY}
    logits, _ = model.apply(variables, images, train=True, mutable=["batch_stats"], rngs=streams)
    assert logits.shape == (2, 10)
    assert np.isfinite(logits).all()


@pytest.mark.parametrize("name", TUTORIALS)
def test_tutorial_networks_take_large_images(name):
    images = jax.ShapeDtypeStruct((2, 224, 224, 3), jnp.float32)
    logits, _ = jax.eval_shape(create(name).init_with_output, KEY, images)
    assert logits.shape == (2, 10)
