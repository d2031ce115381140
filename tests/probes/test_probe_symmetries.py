"""Invariances of any network: scale of weights, linearity in the loss, order of the batch."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax.traverse_util import flatten_dict, unflatten_dict

from resnet_jax import probes
from resnet_jax.models import from_settings

MODEL = from_settings((1,), widths=(4,), num_classes=5, epsilon=1e-10)
QUANTITIES = list(probes.QUANTITIES)


@pytest.fixture(scope="module")
def given(drawn):
    return drawn(MODEL)


@pytest.fixture(scope="module")
def measured(given):
    """Maps parameters, a factor of the loss and a batch to gradients by path and the table."""
    variables, *batch = given

    def loss(params, factor, images, labels):
        both = variables | {"params": params}
        logits, _ = MODEL.apply(both, images, train=True, mutable=["batch_stats"])
        entropy = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
        return factor * entropy.mean(), None

    @jax.jit
    def one_pass(params, *args):
        _, gradients, readings = probes.value_and_grad(loss)(params, *args)
        return gradients, probes.gather(readings, params, gradients)

    def measured(params=variables["params"], factor=1.0, images=batch[0], labels=batch[1]):
        gradients, measurement = one_pass(params, factor, images, labels)
        return flatten_dict(gradients, sep="/"), measurement.table()

    return measured


def test_gradients_before_a_norm_are_orthogonal_to_their_weights(given, measured):
    gradients, table = measured()
    invariant = table[table.kind == "parameter"].set_index("site").invariant
    weights = flatten_dict(given[0]["params"], sep="/")
    before_norm = [path for path in weights if "/conv" in path]
    assert len(before_norm) == 3
    for path in before_norm:
        assert abs(jnp.vdot(gradients[path], weights[path])) < 1e-5 * invariant[path]
    # The last layer has no norm after it: the test above can fail.
    last = "head/dense/kernel"
    assert abs(jnp.vdot(gradients[last], weights[last])) > 1e-3 * invariant[last]


def test_scaling_weights_before_a_norm(given, measured):
    """g(c W) = g(W) / c, so that |G| |W| stays (van Laarhoven 2017, arXiv 1706.05350)."""
    path = ("stage1", "unit01", "conv1", "kernel")
    weights = flatten_dict(given[0]["params"])
    scaled = unflatten_dict(weights | {path: 3 * weights[path]})
    (_, before), (_, after) = measured(), measured(scaled)
    ratio = after[QUANTITIES] / before[QUANTITIES]
    at = before.site == "/".join(path)
    np.testing.assert_allclose(ratio[at].gradient_norm, 1 / 3, rtol=1e-3)
    np.testing.assert_allclose(ratio[at].weight_norm, 3, rtol=1e-6)
    np.testing.assert_allclose(ratio[at].relative, 1 / 9, rtol=1e-3)
    np.testing.assert_allclose(ratio[at].invariant, 1, rtol=1e-3)
    # Its output is scaled too; nothing else changes.
    conv = before.site == "stage1/unit01/conv1"
    np.testing.assert_allclose(ratio[conv].signal_variance, 9, rtol=1e-3)
    np.testing.assert_allclose(ratio[conv].gradient_norm, 1 / 3, rtol=1e-3)
    others = (before.kind != "unit") & ~at & ~conv
    np.testing.assert_allclose(ratio[others].gradient_norm, 1, rtol=1e-3)


def test_gradients_are_linear_in_the_loss(measured):
    (_, once), (_, tenfold) = measured(factor=1.0), measured(factor=10.0)
    for name in ("gradient_norm", "gradient_rms", "relative", "invariant"):
        np.testing.assert_allclose(tenfold[name], 10 * once[name], rtol=1e-3)
    for name in ("signal_variance", "signal_std", "channel_variance", "weight_norm"):
        np.testing.assert_allclose(tenfold[name], once[name], rtol=1e-5)


def test_the_order_of_the_batch_does_not_matter(given, measured):
    _, images, labels = given
    turn = np.random.default_rng(0).permutation(len(labels))
    _, once = measured()
    _, turned = measured(images=images[turn], labels=labels[turn])
    _, other = measured(images=images[turn])
    np.testing.assert_allclose(turned[QUANTITIES], once[QUANTITIES], rtol=1e-3, atol=1e-6)
    assert not np.allclose(other.gradient_norm, once.gradient_norm, rtol=1e-2)
