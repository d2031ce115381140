"""A probed pass is an ordinary one: the same value and gradients, and no work done twice."""

import jax
import numpy as np
import optax

from resnet_jax import probes
from resnet_jax.models import ResNet

MODEL = ResNet((1, 1), widths=(4, 6), num_classes=5, shortcut="B")


def test_gradients_are_those_of_an_unprobed_pass(drawn, objective):
    given = drawn(MODEL)
    loss, params = objective(MODEL, *given), given[0]["params"]
    (value, aux), gradients, _ = jax.jit(probes.value_and_grad(loss))(params)
    (plain_value, plain_aux), plain = jax.jit(jax.value_and_grad(loss, has_aux=True))(params)
    pairs = ((value, plain_value), (aux, plain_aux), (gradients, plain))
    for ours, theirs in pairs:
        assert jax.tree.structure(ours) == jax.tree.structure(theirs)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-5, 1e-6), ours, theirs)


def operations(program):
    """Counts the costly operations of a program as it is printed, programs within it included."""
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

    passes = jax.jit(probes.value_and_grad(loss, "head"))
    (_, logits), _, readings = passes(variables["params"], images[:3], labels=labels[:3])
    assert logits.shape == (3, 5)
    assert [site.path for site in readings.layout.activations] == ["head"]


def test_update_ratio(drawn, objective):
    given = drawn(MODEL)
    params = given[0]["params"]
    passes = jax.jit(probes.value_and_grad(objective(MODEL, *given), "*/kernel"))
    _, gradients, readings = passes(params)
    updates = jax.tree.map(lambda weight: -0.25 * weight, params)
    table = probes.gather(readings, params, gradients, updates).table()
    np.testing.assert_allclose(table.update_ratio, 0.25, rtol=1e-6)


def test_measurement_leaves_a_compiled_step(drawn, objective):
    given = drawn(MODEL)
    loss = objective(MODEL, *given)

    @jax.jit
    def step(params):
        _, gradients, readings = probes.value_and_grad(loss)(params)
        return probes.gather(readings, params, gradients)

    np.testing.assert_allclose(
        step(given[0]["params"]).table().gradient_norm,
        probes.measure(MODEL, *given).table().gradient_norm,
        rtol=1e-4,
    )
