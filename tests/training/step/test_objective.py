import jax.numpy as jnp
import numpy as np
import pytest

from resnet_jax.training.step.objective import cross_entropy, mean_squared_error, mistakes


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


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_mean_squared_error_agrees_with_pytorch(smoothing):
    torch = pytest.importorskip("torch")
    draw = np.random.default_rng(0)
    logits, labels = draw.normal(size=(6, 4)), draw.integers(4, size=6)
    target = (1 - smoothing) * np.eye(4)[labels] + smoothing / 4
    expected = torch.nn.functional.mse_loss(torch.tensor(logits), torch.tensor(target))
    found = mean_squared_error(jnp.asarray(logits), jnp.asarray(labels), smoothing)
    assert found.shape == (6,)
    np.testing.assert_allclose(found.mean(), expected.item(), rtol=1e-5)


@pytest.mark.parametrize("loss", [cross_entropy, mean_squared_error])
def test_one_hot_probabilities_are_equal_to_labels(loss):
    draw = np.random.default_rng(0)
    logits, labels = jnp.asarray(draw.normal(size=(6, 4))), jnp.asarray(draw.integers(4, size=6))
    shares = jnp.eye(4)[labels]
    np.testing.assert_array_equal(loss(logits, shares, 0.1), loss(logits, labels, 0.1))
    np.testing.assert_array_equal(mistakes(logits, shares), mistakes(logits, labels))


def test_cross_entropy_with_probabilities_agrees_with_pytorch():
    torch = pytest.importorskip("torch")
    draw = np.random.default_rng(0)
    logits, shares = draw.normal(size=(6, 4)), draw.dirichlet(np.ones(4), size=6)
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(logits), torch.tensor(shares), label_smoothing=0.1, reduction="none"
    )
    found = cross_entropy(jnp.asarray(logits), jnp.asarray(shares), 0.1)
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5)


def test_the_label_of_a_mixture_is_its_most_probable_class():
    logits = jnp.array([[0.0, 2.0], [0.0, 2.0]])
    assert mistakes(logits, jnp.array([[0.4, 0.6], [0.6, 0.4]])).tolist() == [0.0, 1.0]
