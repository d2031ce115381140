"""Names of networks, and their numbers of parameters."""

from functools import cache

import jax
import jax.numpy as jnp
import pytest

from resnet_jax.errors import UserError
from resnet_jax.models import ResNet, create, names, published
from resnet_jax.models.branches import Bottleneck
from resnet_jax.models.orders import ORDERS
from resnet_jax.models.shortcuts import none
from resnet_jax.models.stem_head import ImageNetStem

PUBLISHED = published.tables()
CIFAR = {
    name: entry["params_exact"]
    for name, entry in PUBLISHED["he2015_cifar10"].items()
    if name.startswith("resnet")
}
IMAGENET = PUBLISHED["he2015_imagenet"]["params_exact"]


def deep(name: str, *before: str, mark=pytest.mark.long):
    """Networks of a thousand layers take long to trace."""
    return pytest.param(*before, name, marks=mark if name.endswith("1202") else ())


@cache
def count(model: ResNet) -> int:
    image = jnp.zeros((1, 32, 32, 3))
    params = jax.eval_shape(model.init, jax.random.key(0), image)["params"]
    return sum(leaf.size for leaf in jax.tree.leaves(params))


@pytest.mark.parametrize(
    ("family", "name"),
    [
        *(deep(name, "resnet", mark=pytest.mark.slow) for name in CIFAR),
        *(deep(name, "plain") for name in CIFAR),
    ],
)
def test_cifar_parameters_are_the_published_ones(family, name):
    assert count(create(name.replace("resnet", family))) == CIFAR[name]


@pytest.mark.parametrize("name", [deep(name) for name in CIFAR])
def test_preactivation_parameters_follow_from_the_norms_that_move(name):
    """A unit normalizes its input, not its output: fewer channels where a stage begins (16, not 32,
    and 32, not 64). The first unit has no pre-activation norm, and the head has one of 64."""
    first_unit, stages, head = -2 * 16, -2 * (16 + 32), 2 * 64
    assert count(create(name.replace("resnet", "preact"))) == (
        CIFAR[name] + first_unit + stages + head
    )


def test_projections_add_their_kernels_and_norms():
    """published.json: with option B the residual network has 2752 more."""
    assert count(create("resnet20", shortcut="B")) == CIFAR["resnet20"] + 2752


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"])
def test_imagenet_parameters_are_the_published_ones(name):
    assert count(create(name)) == IMAGENET[name]


@pytest.mark.parametrize("depth", [18, 34])
def test_plain_imagenet_networks_differ_by_the_projections(depth):
    widths = [(64, 128), (128, 256), (256, 512)]
    projections = sum(narrow * wide + 2 * wide for narrow, wide in widths)
    assert count(create(f"plain{depth}")) == IMAGENET[f"resnet{depth}"] - projections


def bottleneck_params(units: int, preactivation: bool) -> int:
    """Closed form for 9n+2 layers, option B, 3 channels in and 10 classes."""
    total = 3 * 9 * 16 + 2 * 16
    entering = 16
    for width in (16, 32, 64):
        leaving = 4 * width
        inner = 9 * width**2 + width * leaving
        total += units * inner + entering * width + (units - 1) * leaving * width
        total += entering * leaving
        if preactivation:
            total += units * 2 * (width + width) + 2 * entering + (units - 1) * 2 * leaving
        else:
            total += units * 2 * (width + width + leaving) + 2 * leaving
        entering = leaving
    if preactivation:
        total += 2 * entering - 2 * 16
    return total + entering * 10 + 10


@pytest.mark.parametrize(
    ("name", "units"),
    [("164", 18), pytest.param("1001", 111, marks=pytest.mark.long), ("29-bottleneck", 3)],
)
@pytest.mark.parametrize("family", ["resnet", "preact"])
def test_bottleneck_parameters_follow_the_formula(family, name, units):
    assert count(create(family + name)) == bottleneck_params(units, family == "preact")


def test_the_formula_gives_what_the_paper_prints_for_1001_layers():
    """He et al. 2016 prints 10.2M, without norms: these are 12 parameters per channel and unit."""
    norms = 111 * 12 * (16 + 32 + 64)
    assert round((bottleneck_params(111, preactivation=True) - norms) / 1e6, 1) == 10.2


def test_listed_networks_exist_and_are_unique():
    assert len(set(names())) == len(names())
    for name in names():
        assert isinstance(create(name), ResNet)


def test_a_depth_means_the_same_in_every_family():
    for depth in ("20", "164", "50", "50-basic", "29-bottleneck"):
        plain, residual, preact = (
            create(family + depth) for family in ("plain", "resnet", "preact")
        )
        assert plain == residual.clone(shortcut=none)
        assert preact == residual.clone(order=ORDERS["preactivation"])


def test_suffixes_select_the_branch_of_cifar_networks():
    assert create("resnet50").stem == ImageNetStem()
    assert create("resnet50-basic").stage_sizes == (8, 8, 8)
    assert create("resnet164").branch == Bottleneck()
    assert create("resnet164-basic").stage_sizes == (27, 27, 27)
    assert create("preact56-bottleneck").stage_sizes == (6, 6, 6)


def test_overrides_replace_settings():
    model = create("resnet50", num_classes=7, stride_on="conv2", widths=[8, 8, 8, 8])
    assert (model.num_classes, model.widths) == (7, (8, 8, 8, 8))
    assert model.branch == Bottleneck(stride_on="conv2")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet21", r"21 layers are not 6n\+2.*nearest are resnet20 and resnet26"),
        ("plain7", r"nearest are plain8 and plain14"),
        ("preact165", r"nearest are preact164 and preact170"),
        ("resnet100", r"nearest are resnet98 and resnet101 and resnet104"),
        ("resnet2", r"nearest are resnet8 and resnet14"),
        ("resnet30-bottleneck", r"9n\+2.*resnet29-bottleneck and resnet38-bottleneck"),
        ("resnet20-wide", r"a suffix is -single, -basic, -bottleneck"),
        ("wrn27-10", r"27 layers are not 6n\+4; the nearest are 22 and 28"),
        ("resnext30-8x64d", r"not 9n\+2; the nearest are 29 and 38"),
        ("stochastic111", r"not 6n\+2; the nearest are 110 and 116"),
        ("wrn28", r"did you mean 'wrn28-10'"),
        ("resent56", r"did you mean 'resnet56'"),
        ("Resnet56", r"did you mean 'resnet56'"),
        ("", r"known: plain20"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest_ones(name, message):
    with pytest.raises(UserError, match=message):
        create(name)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"shortcutt": "A"}, "no setting 'shortcutt'; did you mean 'shortcut'"),
        ({"branch": "bottlneck"}, "did you mean 'bottleneck'"),
        ({"parent": None}, "no setting 'parent'"),
    ],
)
def test_unknown_overrides_are_refused(overrides, message):
    with pytest.raises(UserError, match=message):
        create("resnet20", **overrides)
