"""The network: parameter paths, initial values, modes, dtypes, and refused settings."""

from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from resnet_jax.errors import UserError
from resnet_jax.models import ResNet, create, from_settings, initialize
from resnet_jax.models.shortcuts import identity

KEY = jax.random.key(0)
IMAGES = jax.random.normal(jax.random.key(1), (4, 8, 8, 3))


def tiny(**settings) -> ResNet:
    return from_settings(**{"stage_sizes": (1, 2), "widths": (4, 6)} | settings)


def paths(model: ResNet) -> dict[str, tuple[int, ...]]:
    variables = jax.eval_shape(model.init, KEY, IMAGES)
    return {path: leaf.shape for path, leaf in flatten_dict(variables["params"], sep="/").items()}


def test_parameter_paths_of_the_original_order():
    norms = lambda *at: {f"{path}/{part}" for path in at for part in ("scale", "bias")}
    convs = lambda *at: {f"{path}/kernel" for path in at}
    unit = lambda at: convs(f"{at}/conv1", f"{at}/conv2") | norms(f"{at}/norm1", f"{at}/norm2")
    assert paths(tiny(shortcut="B")).keys() == (
        convs("stem/conv", "stage2/unit01/shortcut/conv", "head/dense")
        | norms("stem/norm", "stage2/unit01/shortcut/norm")
        | unit("stage1/unit01")
        | unit("stage2/unit01")
        | unit("stage2/unit02")
        | {"head/dense/bias"}
    )


def test_preactivation_moves_the_first_norm_to_the_stem_and_adds_one_in_the_head():
    """He et al. 2016, section 4.1: the first and the last unit are special cases."""
    shapes = paths(tiny(shortcut="B", order="preactivation"))
    assert shapes["stem/norm/scale"] == (4,)
    assert shapes["head/norm/scale"] == (6,)
    assert "stage1/unit01/norm1/scale" not in shapes
    assert shapes["stage1/unit01/norm2/scale"] == (4,)
    assert shapes["stage2/unit01/norm1/scale"] == (4,)
    assert "stage2/unit01/shortcut/conv/kernel" in shapes
    assert "stage2/unit01/shortcut/norm/scale" not in shapes


@pytest.mark.parametrize(("units", "last"), [(99, "unit99"), (101, "unit101")])
def test_unit_names_are_zero_padded_and_sort(units, last):
    model = ResNet((units,), widths=(1,))
    variables = jax.eval_shape(model.init, KEY, jnp.zeros((1, 1, 1, 1)))
    names = sorted(variables["params"]["stage1"])
    assert names[0] == "unit" + "1".zfill(len(last) - 4)
    assert names[-1] == last
    assert [int(name.removeprefix("unit")) for name in names] == list(range(1, units + 1))


def test_twins_start_from_the_same_values():
    plain, residual = (
        initialize(tiny(shortcut=shortcut), KEY, IMAGES.shape[1:]) for shortcut in ("none", "A")
    )
    jax.tree.map(np.testing.assert_array_equal, plain, residual)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [20, 44])
def test_twins_of_the_zoo_start_from_the_same_values(depth):
    plain, residual = (
        initialize(create(f"{family}{depth}"), KEY, (8, 8, 1)) for family in ("plain", "resnet")
    )
    jax.tree.map(np.testing.assert_array_equal, plain, residual)


def test_a_plain_network_is_a_residual_one_with_h_zero():
    plain, residual = tiny(shortcut="none"), tiny(shortcut="A")
    variables = initialize(plain, KEY, IMAGES.shape[1:])
    logits = plain.apply(variables, IMAGES)
    assert not np.allclose(residual.apply(variables, IMAGES), logits, atol=1e-3)
    zero = residual.clone(shortcut=lambda *given: 0 * identity(*given))
    np.testing.assert_array_equal(zero.apply(variables, IMAGES), logits)


def add_noise(params: dict, where: str) -> dict:
    rng = np.random.default_rng(0)

    def change(path, leaf):
        at = jax.tree_util.keystr(path, simple=True, separator="/")
        return leaf + rng.standard_normal(leaf.shape, np.float32) if where in at else leaf

    return jax.tree_util.tree_map_with_path(change, params)


@pytest.mark.parametrize("branch", ["basic", "bottleneck"])
@pytest.mark.parametrize("order", ["original", "preactivation"])
@pytest.mark.parametrize("zero", [True, False])
def test_zero_init_makes_every_branch_zero(branch, order, zero):
    model = tiny(shortcut="B", branch=branch, order=order, zero_init_residual=zero)
    variables = initialize(model, KEY, IMAGES.shape[1:])
    changed = variables | {"params": add_noise(variables["params"], "conv1")}
    difference = np.abs(model.apply(changed, IMAGES) - model.apply(variables, IMAGES)).max()
    assert difference == 0 if zero else difference > 1e-3


def test_zero_init_zeros_the_last_norm_or_without_one_the_last_convolution():
    def zeros(**settings) -> Iterable[str]:
        model = tiny(shortcut="A", zero_init_residual=True, **settings)
        params = flatten_dict(initialize(model, KEY, IMAGES.shape[1:])["params"], sep="/")
        return {path for path, leaf in params.items() if "bias" not in path and not leaf.any()}

    units = ("stage1/unit01", "stage2/unit01", "stage2/unit02")
    assert zeros() == {f"{unit}/norm2/scale" for unit in units}
    assert zeros(order="preactivation") == {f"{unit}/conv2/kernel" for unit in units}
    assert zeros(normalization="none") == {f"{unit}/conv2/kernel" for unit in units}


def test_bfloat16_networks_have_float32_variables_and_logits():
    model = tiny(dtype="bfloat16")
    variables = initialize(model, KEY, IMAGES.shape[1:])
    logits, state = model.apply(
        variables, IMAGES, train=True, mutable=["batch_stats", "intermediates"],
        capture_intermediates=True,
    )  # fmt: skip
    inner = flatten_dict(state.pop("intermediates"), sep="/")
    assert inner["stage2/unit02/__call__"][0].dtype == jnp.bfloat16
    assert inner["stage2/unit02/conv1/__call__"][0].dtype == jnp.bfloat16
    for leaf in (logits, *jax.tree.leaves(variables), *jax.tree.leaves(state)):
        assert leaf.dtype == jnp.float32
    exact, _ = tiny().apply(variables, IMAGES, train=True, mutable=["batch_stats"])
    np.testing.assert_allclose(logits, exact, atol=0.1)
    assert not np.array_equal(logits, exact)


def test_apply_is_pure():
    model = tiny()
    variables = initialize(model, KEY, IMAGES.shape[1:])
    before = jax.tree.map(np.array, variables)
    logits, state = model.apply(variables, IMAGES, train=True, mutable=["batch_stats"])
    again, _ = model.apply(variables, IMAGES, train=True, mutable=["batch_stats"])
    jax.tree.map(np.testing.assert_array_equal, variables, before)
    np.testing.assert_array_equal(logits, again)
    moved = jax.tree.map(np.array_equal, state["batch_stats"], before["batch_stats"])
    assert not any(jax.tree.leaves(moved))


def test_evaluation_uses_the_running_statistics():
    model = tiny()
    variables = initialize(model, KEY, IMAGES.shape[1:])
    alone = model.apply(variables, IMAGES[:1])
    np.testing.assert_allclose(model.apply(variables, IMAGES)[:1], alone, rtol=1e-4, atol=1e-5)


def test_without_normalization_there_are_no_statistics_and_only_the_head_has_a_bias():
    model = tiny(normalization="none")
    variables = initialize(model, KEY, IMAGES.shape[1:])
    assert variables.keys() == {"params"}
    leaves = {path.rpartition("/")[2] for path in paths(model)}
    assert leaves == {"kernel", "bias"}
    assert [path for path in paths(model) if path.endswith("bias")] == ["head/dense/bias"]


def test_models_are_values():
    assert create("resnet20") == create("resnet20")
    assert hash(create("resnet20")) == hash(create("resnet20"))
    assert create("resnet20") != create("plain20")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"order": "preactivaton"}, r"order='preactivaton' is unknown; did you mean 'preactiv"),
        ({"shortcut": "E"}, r"shortcut='E' is unknown; known: none, A, B, C, D, scaled"),
        ({"widths": (4,)}, r"2 stages .* need as many widths"),
        ({"stage_sizes": (0, 1)}, r"stages need units"),
        ({"num_classes": 0}, r"num_classes=0"),
        ({"momentum": 1.0}, r"momentum=1.0 .* not in \[0, 1\)"),
        ({"epsilon": -1e-5}, r"epsilon=-1e-05"),
    ],
)
def test_invalid_settings_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        tiny(**settings)


def test_shortcut_a_refuses_fewer_channels():
    with pytest.raises(UserError, match="shortcut A cannot take 6 channels to 4"):
        paths(tiny(shortcut="A", widths=(6, 4)))
