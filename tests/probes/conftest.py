"""Networks and batches to measure, and an objective as a user would write one."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn
from made_variables import made_variables


class SmoothNet(nn.Module):
    """A user's own network, of Linen's own layers, smooth so that finite differences are exact."""

    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, x, train=False):
        for width in (3, 4):
            x = nn.Conv(width, (3, 3))(x)
            x = nn.BatchNorm(use_running_average=not train, epsilon=self.epsilon)(x)
            x = nn.tanh(x)
        return nn.Dense(5)(x.mean((1, 2)))


@pytest.fixture(scope="session")
def smooth():
    return SmoothNet


@pytest.fixture(scope="session")
def drawn():
    """Makes (variables, images, labels) for a model; no parameter has a special value such as 0."""

    def draw(model, images_shape=(6, 6, 6, 3), classes=5):
        rng = np.random.default_rng(0)
        images = jnp.asarray(rng.standard_normal(images_shape, np.float32))
        labels = jnp.asarray(np.arange(len(images)) % classes)
        return made_variables(model, images_shape[1:]), images, labels

    return draw


@pytest.fixture(scope="session")
def objective():
    """From (model, variables, images, labels) to a function of parameters."""

    def make(model, variables, images, labels):
        def loss(params):
            given = variables | {"params": params}
            logits, new = model.apply(given, images, train=True, mutable=["batch_stats"])
            entropy = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
            return entropy.mean(), (new, logits)

        return loss

    return make
