"""Each shortcut on its own: formula, parameters, gradient; and within a network.

Tests run over the table `SHORTCUTS`, so they cover a new entry too.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax.traverse_util import flatten_dict
from made_variables import made_variables

from resnet_jax.errors import UserError
from resnet_jax.models import ResNet, from_settings, shortcuts
from resnet_jax.models.shortcuts import SHORTCUTS, GatedTerms, ShortcutContext

KEY = jax.random.key(0)
IMAGES = jax.random.normal(jax.random.key(1), (2, 6, 6, 4))
LAYERS = ResNet((1,), widths=(4,)).layers(train=False)
BRANCHES = {"same": (4, 1), "wider": (6, 1), "strided": (6, 2)}


def context(features: int, stride: int) -> ShortcutContext:
    return ShortcutContext(features, stride, post_norm=True, layers=LAYERS)


class Alone(nn.Module):
    """A shortcut as a module of its own."""

    shortcut: Callable
    context: ShortcutContext

    @nn.compact
    def __call__(self, x):
        found = self.shortcut(x, x, self.context)
        return found.shortcut if isinstance(found, GatedTerms) else found


def of(name: str, where: str):
    model = Alone(SHORTCUTS[name], context(*BRANCHES[where]))
    variables = model.init(KEY, IMAGES)
    return model.apply(variables, IMAGES), flatten_dict(variables.get("params", {}), sep="/")


def identity(features: int, stride: int) -> np.ndarray:
    """Option A, by NumPy."""
    kept = np.asarray(IMAGES)[:, ::stride, ::stride]
    return np.concatenate([kept, np.zeros((*kept.shape[:3], features - 4))], axis=-1)


PARAMS = {
    "none": 0,
    "A": 0,
    "scaled": 0,
    "dropout": 0,
    "B": "projection where shapes differ",
    "D": "projection where shapes differ",
    "C": "projection",
    "identity_plus_conv": "projection",
    "exclusive_gating": "gate",
    "shortcut_only_gating": "gate",
}


@pytest.mark.parametrize("where", BRANCHES)
@pytest.mark.parametrize("name", PARAMS)
def test_parameters(name, where):
    features, _ = BRANCHES[where]
    projection = 4 * features + 2 * features  # a 1x1 kernel, and the norm's scale and bias
    expected = {
        0: 0,
        "projection": projection,
        "projection where shapes differ": 0 if where == "same" else projection,
        "gate": 4 * features + features,
    }[PARAMS[name]]
    _, params = of(name, where)
    assert sum(leaf.size for leaf in params.values()) == expected


@pytest.mark.parametrize("where", BRANCHES)
@pytest.mark.parametrize(
    ("shortcut", "factor"),
    [
        (shortcuts.identity, 1.0),
        (shortcuts.Scaled(0.5), 0.5),
        (shortcuts.Dropout(0.5), 1.0),
        (shortcuts.none, 0.0),
    ],
)
def test_multiples_of_the_identity(shortcut, factor, where):
    """In evaluation dropout is the identity."""
    found = Alone(shortcut, context(*BRANCHES[where])).apply({}, IMAGES)
    expected = factor * identity(*BRANCHES[where])
    np.testing.assert_allclose(jnp.broadcast_to(found, expected.shape), expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["B", "D"])
def test_the_shortcut_is_the_identity_where_the_shape_does_not_change(name):
    found, _ = of(name, "same")
    np.testing.assert_array_equal(found, IMAGES)


def test_pooling_takes_means_before_the_projection():
    found, params = of("D", "strided")
    means = np.asarray(IMAGES).reshape(2, 3, 2, 3, 2, 4).mean((2, 4))
    projected = means @ np.asarray(params["shortcut/conv/kernel"])[0, 0]
    np.testing.assert_allclose(found, projected / np.sqrt(1 + 1e-5), rtol=1e-4, atol=1e-5)


def test_pooling_of_odd_sides_excludes_padding_from_the_mean():
    model = Alone(SHORTCUTS["D"], context(6, 2))
    images = jnp.ones((1, 5, 5, 4))
    found = model.apply(model.init(KEY, images), images)
    assert found.shape == (1, 3, 3, 6)
    np.testing.assert_allclose(found, jnp.broadcast_to(found[:, :1, :1], found.shape), rtol=1e-5)


@pytest.mark.parametrize("name", ["exclusive_gating", "shortcut_only_gating"])
@pytest.mark.parametrize("where", BRANCHES)
def test_gates_with_zero_kernels_are_the_sigmoid_of_their_bias(name, where):
    """With W = 0 the gate is sigmoid(b): Srivastava et al. 2015 start it almost closed."""
    model = Alone(SHORTCUTS[name], context(*BRANCHES[where]))
    params = jax.tree.map(jnp.zeros_like, model.init(KEY, IMAGES)["params"])
    params["gate"]["bias"] = jnp.full_like(params["gate"]["bias"], -6.0)
    gate = 1 / (1 + np.exp(6.0))
    found = model.apply({"params": params}, IMAGES)
    expected = (1 - gate) * identity(*BRANCHES[where])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


def test_exclusive_gating_weights_shortcut_and_branch_by_complements():
    class Gating(nn.Module):
        @nn.compact
        def __call__(self, x):
            return SHORTCUTS["exclusive_gating"](x, x, context(4, 1))

    model = Gating()
    shortcut, gate = model.apply(model.init(KEY, IMAGES), IMAGES)
    np.testing.assert_allclose(shortcut, (1 - gate) * IMAGES, rtol=1e-6)
    assert 0 < float(gate.min()) < float(gate.max()) < 1


@pytest.mark.parametrize("where", BRANCHES)
@pytest.mark.parametrize("name", SHORTCUTS)
def test_every_shortcut_has_the_shape_of_the_branch_and_a_gradient(name, where):
    features, stride = BRANCHES[where]
    model = Alone(SHORTCUTS[name], context(features, stride))
    variables = model.init(KEY, IMAGES)
    found = model.apply(variables, IMAGES)
    assert found.shape in ((), (2, 6 // stride, 6 // stride, features))
    gradient = jax.grad(lambda x: (model.apply(variables, x) ** 2).sum())(IMAGES)
    assert np.isfinite(gradient).all()
    assert (name == "none") != bool(np.any(gradient))


@pytest.mark.parametrize("name", SHORTCUTS)
@pytest.mark.parametrize(
    ("order", "dtype"),
    [
        ("original", "bfloat16"),
        pytest.param("original", "float32", marks=pytest.mark.slow),
        pytest.param("preactivation", "float32", marks=pytest.mark.slow),
    ],
)
def test_every_shortcut_works_in_a_network(name, order, dtype):
    model = from_settings(
        (1, 2), widths=(4, 6), shortcut=name, order=order, num_classes=5, dtype=dtype
    )
    variables = made_variables(model, (8, 8, 3))
    images = jax.random.normal(KEY, (4, 8, 8, 3))
    logits, _ = model.apply(
        variables, images, train=True, mutable=["batch_stats"], rngs={"dropout": KEY}
    )
    assert logits.shape == (4, 5)
    assert np.isfinite(logits).all()


MISFITS = {
    "mean over pixels": (lambda x, *_: x.mean((1, 2), keepdims=True), "gives 2x1x1x4 bfloat16"),
    "mean over everything": (
        lambda x, *_: x.mean(),
        "gives a single number, bfloat16 where the branch",
    ),
    "number": (
        lambda *_: 0.5,
        "gives a single number, float32 where the branch has 2x8x8x4",
    ),
    "mean over the batch": (lambda x, *_: x.mean(0, keepdims=True), "gives 1x8x8x4 bfloat16"),
    "unchanged input": (
        lambda x, *_: x,
        "stage2/unit01: .* 2x8x8x4 bfloat16 .* 2x4x4x6 bfloat16",
    ),
    "other dtype": (lambda x, *_: x * jnp.ones(4), "gives 2x8x8x4 float32 .* 2x8x8x4 bfloat16"),
    "other dtype of the gated terms": (
        lambda x, *_: GatedTerms(x, jnp.ones(4)),
        "gives 2x8x8x4 float32",
    ),
}


@pytest.mark.parametrize("result", MISFITS)
def test_a_shortcut_of_another_shape_or_dtype_is_refused(monkeypatch, result):
    shortcut, message = MISFITS[result]
    monkeypatch.setitem(SHORTCUTS, "misfit", shortcut)
    model = from_settings((1, 1), widths=(4, 6), shortcut="misfit", num_classes=5, dtype="bfloat16")
    with pytest.raises(UserError, match=message):
        jax.eval_shape(model.init, KEY, jnp.zeros((2, 8, 8, 3)))
