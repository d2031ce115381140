import jax.numpy as jnp
import numpy as np
import pytest

from resnet_jax.training.objective import cross_entropy, mistakes


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_agrees_with_the_formula(smoothing):
    draw = np.random.default_rng(0)
    logits, labels = draw.normal(size=(6, 4)), draw.integers(4, size=6)
    log_probability = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    target = (1 - smoothing) * np.eye(4)[labels] + smoothing / 4
    expected = -(target * log_probability).sum(-1)
    found = cross_entropy(jnp.asarray(logits), jnp.asarray(labels), smoothing)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_mistakes_count_the_largest_logit():
    logits = jnp.array([[0.0, 2.0], [3.0, 1.0], [0.0, 1.0]])
    assert mistakes(logits, jnp.array([1, 1, 0])).tolist() == [0.0, 1.0, 1.0]
