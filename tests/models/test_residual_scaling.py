"""Residual scaling: formulas, parameters, and gradients at initialization.

test_torch_agreement.py compares values and gradients of such networks with PyTorch.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax.traverse_util import flatten_dict

from resnet_jax.errors import UserError
from resnet_jax.models import ResNet, create, from_settings, initialize
from resnet_jax.models.residual_scaling import SCALINGS, Fixup

FAST_COMPILATION = {"xla_backend_optimization_level": 0}
KEY = jax.random.key(0)
IMAGES = jax.random.normal(jax.random.key(1), (6, 8, 8, 3))
LABELS = jnp.arange(6) % 5
UNITS = ("stage1/unit01", "stage2/unit01", "stage2/unit02")


def tiny(**settings) -> ResNet:
    given = {"stage_sizes": (1, 2), "widths": (4, 6), "num_classes": 5, "normalization": "none"}
    return from_settings(**given | settings)


@cache
def params_of(model: ResNet) -> dict[str, np.ndarray]:
    return flatten_dict(initialize(model, KEY, (8, 8, 3))["params"], sep="/")


def loss(model: ResNet, params) -> jax.Array:
    logits = model.apply({"params": params}, IMAGES, train=True)
    return optax.softmax_cross_entropy_with_integer_labels(logits, LABELS).mean()


def gradients(model: ResNet) -> dict[str, np.ndarray]:
    params = initialize(model, KEY, (8, 8, 3))["params"]
    gradient = jax.jit(jax.grad(lambda p: loss(model, p)), compiler_options=FAST_COMPILATION)
    return flatten_dict(gradient(params), sep="/")


@pytest.mark.parametrize("name", ["skipinit", "rezero"])
def test_a_learnable_scale_is_one_scalar_per_unit_initially_zero(name):
    without, params = params_of(tiny()), params_of(tiny(branch_scale=name))
    scales = {f"{unit}/scale" for unit in UNITS}
    assert params.keys() - without.keys() == scales
    assert all(params[path] == 0 and params[path].shape == () for path in scales)
    for path, leaf in without.items():
        np.testing.assert_array_equal(params[path], leaf)


@pytest.mark.parametrize("order", ["original", "preactivation"])
def test_with_scale_zero_a_network_is_its_shortcuts(order):
    model = tiny(branch_scale="skipinit", order=order)
    logits = model.apply({"params": initialize(model, KEY, (8, 8, 3))["params"]}, IMAGES)
    off = tiny(branch_scale="constant", branch_constant=0.0, order=order)
    np.testing.assert_array_equal(off.apply(initialize(off, KEY, (8, 8, 3)), IMAGES), logits)
    stem_and_head = {"stem/conv/kernel", "head/dense/kernel", "head/dense/bias"}
    nonzero = {path for path, gradient in gradients(model).items() if np.any(gradient)}
    assert nonzero == stem_and_head | {f"{unit}/scale" for unit in UNITS}


def test_a_plain_network_with_zero_branches_trains_only_the_bias_of_the_classifier():
    for settings in ({"branch_scale": "skipinit"}, {"zero_init_residual": True}):
        found = gradients(tiny(shortcut="none", **settings))
        nonzero = {path for path, gradient in found.items() if np.any(gradient)}
        assert nonzero == {"head/dense/bias"}


def test_a_learnable_scale_can_be_combined_with_a_norm():
    params = params_of(tiny(branch_scale="rezero", normalization="batch"))
    assert {"stage1/unit01/scale", "stage1/unit01/norm2/scale"} <= params.keys()


@pytest.mark.parametrize("order", ["original", "preactivation"])
@pytest.mark.parametrize(("branch", "convolutions"), [("basic", 2), ("bottleneck", 3)])
def test_fixup_adds_a_scale_per_unit_and_two_biases_per_convolution(order, branch, convolutions):
    """Zhang et al. 2019, rule 3; two more biases precede the stem's ReLU and the classifier.

    In pre-activation order the first unit has one ReLU less, and the head has one.
    """
    settings = {"branch": branch, "order": order, "shortcut": "B"}
    without, params = params_of(tiny(**settings)), params_of(tiny(branch_scale="fixup", **settings))
    added = params.keys() - without.keys()
    assert len(added) == len(UNITS) * (2 * convolutions + 1) + 2
    assert all(params[path].shape == () for path in added)
    assert {float(params[path]) for path in added if path.endswith("bias")} == {0.0}
    assert {float(params[path]) for path in added if path.endswith("scale")} == {1.0}


def test_paths_of_fixup():
    added = params_of(tiny(branch_scale="fixup")).keys() - params_of(tiny()).keys()
    before = (
        "before_conv1",
        "before_activation1",
        "before_conv2",
        "before_activation_after_addition",
    )
    assert added == {
        "stem/before_activation/bias",
        "head/before_dense/bias",
        *(f"{unit}/{place}/bias" for unit in UNITS for place in before),
        *(f"{unit}/scale" for unit in UNITS),
    }


@pytest.mark.parametrize(
    ("name", "factor"),
    [("resnet8", 3**-0.5), ("preact20", 9**-0.5), ("resnet29-bottleneck", 9**-0.25)],
)
def test_fixup_scales_the_kernels_of_branches_and_zeros_the_last(name, factor):
    """Rules 1 and 2: L^(-1 / (2m - 2)) with L units of m convolutions."""
    model = create(name, normalization="none", widths=(4, 4, 4))
    last = "conv3" if "bottleneck" in name else "conv2"
    he, fixup = params_of(model), params_of(model.clone(branch_scale=Fixup()))
    for path, kernel in he.items():
        ends = f"/{last}/" in path or path == "head/dense/kernel"
        inside = "/unit" in path and "shortcut" not in path
        expected = 0.0 if ends else factor if inside else 1.0
        np.testing.assert_allclose(fixup[path], expected * kernel, rtol=1e-6, err_msg=path)


def test_fixup_starts_at_uniform_predictions_with_gradients_of_the_classifier_only():
    model = tiny(branch_scale="fixup")
    params = initialize(model, KEY, (8, 8, 3))["params"]
    assert loss(model, params) == pytest.approx(np.log(5), rel=1e-6)
    nonzero = {path for path, gradient in gradients(model).items() if np.any(gradient)}
    assert nonzero == {"head/dense/kernel", "head/dense/bias"}


def test_constant_scales_follow_the_equation():
    """Without norms, a pre-activation unit computes x' = lambda x + s F(x)."""
    settings = {"stage_sizes": (1,), "widths": (4,), "order": "preactivation"}
    sites = {}
    for shortcut, branch in ((1.0, 1.0), (1.0, 0.0), (0.5, 0.25)):
        model = tiny(
            shortcut="scaled",
            shortcut_scale=shortcut,
            branch_scale="constant",
            branch_constant=branch,
            **settings,
        )
        variables = initialize(model, KEY, (8, 8, 3))
        _, inner = model.apply(variables, IMAGES, capture_intermediates=True)
        sites[shortcut, branch] = inner["intermediates"]["stage1"]["unit01"]["__call__"][0]
    x, f = sites[1.0, 0.0], sites[1.0, 1.0] - sites[1.0, 0.0]
    np.testing.assert_allclose(sites[0.5, 0.25], 0.5 * x + 0.25 * f, rtol=1e-4, atol=1e-5)
    assert np.std(f) > 0.1


def test_scaling_the_shortcut_by_one_is_option_a():
    a, scaled = tiny(shortcut="A"), tiny(shortcut="scaled")
    variables = initialize(a, KEY, (8, 8, 3))
    np.testing.assert_array_equal(scaled.apply(variables, IMAGES), a.apply(variables, IMAGES))


@pytest.mark.parametrize("name", [name for name in SCALINGS if name != "none"])
def test_bfloat16_keeps_float32_parameters(name):
    settings = {"branch_constant": 0.5} if name == "constant" else {}
    model = tiny(branch_scale=name, dtype="bfloat16", **settings)
    variables = initialize(model, KEY, (8, 8, 3))
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    logits, inner = model.apply(variables, IMAGES, capture_intermediates=True)
    assert inner["intermediates"]["stage2"]["unit02"]["__call__"][0].dtype == jnp.bfloat16
    assert logits.dtype == jnp.float32


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"branch_scale": "fixupp"}, r"branch_scale='fixupp' is unknown; did you mean 'fixup'"),
        ({"branch_scale": "fixup"}, r"replaces norms: set normalization='none'"),
        ({"branch_constant": 0.5}, r"no effect without branch_scale='constant'"),
        ({"shortcut_scale": 0.5}, r"no effect without shortcut='scaled'"),
    ],
)
def test_options_without_effect_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        create("resnet20", **settings)
