"""The sites of a network, their order, and their selection by patterns."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from flax.traverse_util import flatten_dict, unflatten_dict
from made_variables import made_variables

from resnet_jax import models, probes
from resnet_jax.errors import UserError
from resnet_jax.models import from_settings
from resnet_jax.probes.sites import select_sites, trace_calls

SMALL = from_settings((1, 2), widths=(4, 6), num_classes=5, shortcut="B")


@functools.cache
def traced(model, extent):
    """The module calls and parameter paths of a network."""
    image = jnp.zeros((2, extent, extent, 3))
    variables = jax.eval_shape(model.init, jax.random.key(0), image)
    call = lambda variables: model.apply(variables, image, train=True, mutable=["batch_stats"])
    return trace_calls(call, variables), list(flatten_dict(variables["params"]))


def layout(model, sites="*", extent=8):
    return select_sites(*traced(model, extent), sites)


def test_network_order():
    found = [site.path for site in layout(SMALL).activations]
    assert found == [
        *("stem/conv", "stem/norm", "stem"),
        *(f"stage1/unit01/{layer}" for layer in ("conv1", "norm1", "conv2", "norm2")),
        *("stage1/unit01", "stage1"),
        *("stage2/unit01/shortcut/conv", "stage2/unit01/shortcut/norm", "stage2/unit01/shortcut"),
        *(f"stage2/unit01/{layer}" for layer in ("conv1", "norm1", "conv2", "norm2")),
        "stage2/unit01",
        *(f"stage2/unit02/{layer}" for layer in ("conv1", "norm1", "conv2", "norm2")),
        *("stage2/unit02", "stage2", "head/dense", "head"),
    ]


def test_places():
    places = {
        site.path: (site.stage, site.unit, site.layer, site.depth)
        for site in layout(SMALL).activations
    }
    assert places["stem/norm"] == (0, 0, "stem/norm", 0)
    assert places["stage1/unit01/conv2"] == (1, 1, "conv2", 2)
    assert places["stage2/unit02/norm1"] == (2, 2, "norm1", 5)
    assert places["stage2/unit01/shortcut/conv"] == (2, 1, "shortcut/conv", 2)
    assert places["stage2/unit02"] == (2, 2, "", 3)
    assert places["head/dense"] == (0, 0, "head/dense", 7)


@pytest.mark.parametrize(
    "name",
    [
        *("plain20", "preact20", "resnet29-bottleneck", "resnet18"),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("preact56", "resnet50")),
    ],
)
def test_depth_counts_weighted_layers_as_the_papers_do(name):
    """ResNet-n has n weighted layers, 0 to n - 1; units are numbered across stages."""
    model = models.create(name)
    found = layout(model, extent=64 if model.stem == "imagenet" else 8)
    branch = [site for site in found.parameters if site.path.endswith("kernel")]
    branch = [site for site in branch if "shortcut" not in site.path]
    depth = int("".join(filter(str.isdigit, name)))
    assert [site.depth for site in branch] == list(range(depth))
    assert [site.depth for site in found.units] == list(range(1, sum(model.stage_sizes) + 1))


@pytest.mark.parametrize("normalization", ["batch", "none"])
def test_rows_of_a_table_are_in_network_order(normalization, drawn):
    model = from_settings((1,), widths=(4,), num_classes=5, normalization=normalization)
    wanted = {"sites": ("stage1/unit01*", "*/bias")}
    shapes = jax.eval_shape(functools.partial(probes.measure, model, **wanted), *drawn(model))
    table = jax.tree.map(lambda leaf: np.zeros(leaf.shape), shapes).table()
    norm = lambda name: [f"{name}/bias", f"{name}/scale", name] if normalization == "batch" else []
    assert list(table.site) == [
        *norm("stem/norm")[:1],
        *("stage1/unit01/conv1/kernel", "stage1/unit01/conv1", *norm("stage1/unit01/norm1")),
        *("stage1/unit01/conv2/kernel", "stage1/unit01/conv2", *norm("stage1/unit01/norm2")),
        *("stage1/unit01", "stage1/unit01", "head/dense/bias"),
    ]
    assert list(table.kind[table.site == "stage1/unit01"]) == ["unit", "activation"]


def test_patterns():
    paths = lambda sites: {site.path for site in layout(SMALL, sites).activations}
    assert paths("stage*/unit??") == {"stage1/unit01", "stage2/unit01", "stage2/unit02"}
    assert paths(("stem", "head")) == {"stem", "head"}
    assert paths("*/norm2") == {f"{unit}/norm2" for unit in paths("stage*/unit??")}
    assert [site.path for site in layout(SMALL, "*/dense/kernel").parameters] == [
        "head/dense/kernel"
    ]


def test_a_pattern_that_matches_nothing():
    with pytest.raises(UserError, match=r"'stage1/unit01/konv1'.*did you mean.*unit01/conv1'"):
        layout(SMALL, ("stem", "stage1/unit01/konv1"))


@pytest.fixture(scope="module")
def at_start():
    """A measurement at initialization with zero scales in the last norms of branches."""
    model = from_settings((1,), widths=(4,), num_classes=5)
    variables = made_variables(model, (6, 6, 3), spread=0.0)
    params = flatten_dict(variables["params"])
    zeroed = {path: leaf * (path[-2:] != ("norm2", "scale")) for path, leaf in params.items()}
    images = jnp.asarray(np.random.default_rng(1).standard_normal((6, 6, 6, 3), np.float32))
    variables = variables | {"params": unflatten_dict(zeroed)}
    return probes.measure(model, variables, images, jnp.arange(6) % 5)


def test_zero_gradients_of_zero_branches_are_kept(at_start):
    table = at_start.table().set_index(["site", "kind"]).gradient_norm
    assert table["stage1/unit01/conv1/kernel", "parameter"] == 0
    assert table["stage1/unit01/conv2", "activation"] == 0
    assert table["stage1/unit01", "unit"] == 0
    assert table["stage1/unit01/norm2/scale", "parameter"] > 0
    assert table["stage1/unit01", "activation"] > 0
    assert table.notna().all()
    assert all("gradient_norm" in record for record in at_start.records())


def test_undefined_quantities_are_nan_and_left_out_of_records(at_start):
    """Biases are initially zero: a gradient relative to them is undefined, not infinite."""
    shifts = at_start.table().query("site == 'stem/norm/bias'")
    assert shifts.relative.isna().all()
    assert (shifts.gradient_norm > 0).all()
    (record,) = (each for each in at_start.records() if each["site"] == "stem/norm/bias")
    assert "relative" not in record
    pd.testing.assert_frame_equal(probes.table(at_start.records()), at_start.table())
