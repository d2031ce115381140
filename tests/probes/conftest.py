"""Networks to measure, and an objective as a user would write one."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from resnet_jax import models


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


@pytest.fixture
def smooth():
    return SmoothNet


@pytest.fixture
def drawn():
    """Makes (variables, images, labels) of a model, no parameter at a special value such as 0."""

    def draw(model, images_shape=(6, 6, 6, 3), classes=5):
        images = jax.random.normal(jax.random.key(0), images_shape)
        variables = models.initialize(model, jax.random.key(1), images_shape[1:])
        rng = np.random.default_rng(2)
        nudge = lambda leaf: leaf + 0.1 * rng.standard_normal(leaf.shape, np.float32)
        params = jax.tree.map(nudge, variables["params"])
        return variables | {"params": params}, images, jnp.arange(len(images)) % classes

    return draw


@pytest.fixture
def objective():
    """From (model, variables, images, labels) to a function of parameters."""

    def make(model, variables, images, labels):
        def loss(params, factor=1.0):
            given = variables | {"params": params}
            logits, new = model.apply(given, images, train=True, mutable=["batch_stats"])
            entropy = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
            return factor * entropy.mean(), (new, logits)

        return loss

    return make
