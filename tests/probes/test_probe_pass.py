"""A probed pass computes the same value and gradients, and nothing twice."""

import jax
import numpy as np
import optax
import pytest

from resnet_jax import probes
from resnet_jax.models import from_settings

MODEL = from_settings((1, 1), widths=(4, 6), num_classes=5, shortcut="B")


@pytest.fixture(scope="module")
def given(smooth, drawn):
    return drawn(smooth(), (4, 4, 4, 1))


@pytest.fixture(scope="module")
def loss(smooth, given, objective):
    return objective(smooth(), *given)


@pytest.fixture(scope="module")
def probed(given, loss):
    """The outputs of a compiled step: value and aux, gradients, and the measurement."""

    @jax.jit
    def step(params):
        value, gradients, readings = probes.value_and_grad(loss)(params)
        updates = jax.tree.map(lambda weight: -0.25 * weight, params)
        return value, gradients, probes.gather(readings, params, gradients, updates)

    return step(given[0]["params"])


def test_gradients_equal_those_without_probes(given, loss, probed):
    (value, aux), gradients, _ = probed
    plain_pass = jax.jit(jax.value_and_grad(loss, has_aux=True))
    (plain_value, plain_aux), plain = plain_pass(given[0]["params"])
    pairs = ((value, plain_value), (aux, plain_aux), (gradients, plain))
    for ours, theirs in pairs:
        assert jax.tree.structure(ours) == jax.tree.structure(theirs)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-5, 1e-6), ours, theirs)


def operations(program):
    """Counts the convolutions and products of a program and its subprograms."""
    return [str(program).count(f"= {name}[") for name in ("conv_general_dilated", "dot_general")]


def test_one_forward_and_one_backward_pass(drawn, objective):
    given = drawn(MODEL)
    loss, params = objective(MODEL, *given), given[0]["params"]

    def probed(params):
        value, gradients, readings = probes.value_and_grad(loss)(params)
        return value, gradients, probes.gather(readings, params, gradients)

    plain = jax.make_jaxpr(jax.value_and_grad(loss, has_aux=True))(params)
    assert operations(jax.make_jaxpr(probed)(params)) == operations(plain)
    assert min(operations(plain)) > 0


def test_arguments_reach_the_objective(drawn):
    variables, images, labels = drawn(MODEL)

    def loss(params, images, *, labels):
        given = variables | {"params": params}
        logits, _ = MODEL.apply(given, images, train=True, mutable=["batch_stats"])
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(), logits

    passes = probes.value_and_grad(loss, "head")
    (_, logits), _, readings = jax.eval_shape(
        passes, variables["params"], images[:3], labels=labels[:3]
    )
    assert logits.shape == (3, 5)
    assert [site.path for site in readings.layout.activations] == ["head"]


def test_update_ratio(probed):
    table = probed[2].table().query("site.str.endswith('kernel')")
    np.testing.assert_allclose(table.update_ratio, 0.25, rtol=1e-6)


def test_measure_equals_a_probed_step(smooth, given, probed):
    measured = probes.measure(smooth(), *given).table()
    ours = probed[2].table()
    np.testing.assert_allclose(ours.gradient_norm, measured.gradient_norm, rtol=1e-4)
