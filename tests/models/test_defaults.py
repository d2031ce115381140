"""With default settings, networks equal those of the papers, written out layer by layer."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from resnet_jax.models import from_settings, initialize
from resnet_jax.models.convolution import convolve

KEY = jax.random.key(0)
IMAGES = jax.random.normal(jax.random.key(1), (4, 8, 8, 3))


class Kernel(nn.Module):
    features: int
    stride: int

    @nn.compact
    def __call__(self, x):
        init = jax.nn.initializers.variance_scaling(2.0, "fan_in", "normal")
        shape = (3, 3, x.shape[-1], self.features)
        return convolve(x, self.param("kernel", init, shape), self.stride)


class Part(nn.Module):
    body: Callable

    @nn.compact
    def __call__(self, x):
        return self.body(x)


def conv(x, features, name, stride=1):
    return Kernel(features, stride, name=name)(x)


def norm(x, name):
    return nn.BatchNorm(False, momentum=0.9, epsilon=1e-5, use_fast_variance=False, name=name)(x)


def original(x, features, stride, first):
    f = nn.relu(norm(conv(x, features, "conv1", stride), "norm1"))
    f = norm(conv(f, features, "conv2"), "norm2")
    return nn.relu(option_a(x, features, stride) + f)


def preactivation(x, features, stride, first):
    preactivated = x if first else nn.relu(norm(x, "norm1"))
    f = nn.relu(norm(conv(preactivated, features, "conv1", stride), "norm2"))
    return option_a(x, features, stride) + conv(f, features, "conv2")


def option_a(x, features, stride):
    return jnp.pad(x[:, ::stride, ::stride], ((0, 0), (0, 0), (0, 0), (0, features - x.shape[-1])))


def head(x, order):
    x = nn.relu(norm(x, "norm")) if order is preactivation else x
    init = jax.nn.initializers.variance_scaling(1 / 3, "fan_in", "normal")
    return nn.Dense(5, kernel_init=init, name="dense")(jnp.mean(x, axis=(1, 2)))


class ByHand(nn.Module):
    """Three units of order `original` or `preactivation`, in two stages."""

    order: Callable

    @nn.compact
    def __call__(self, x):
        unit = lambda name, *given: Part(lambda x: self.order(x, *given), name=name)
        x = Part(lambda x: nn.relu(norm(conv(x, 4, "conv"), "norm")), name="stem")(x)
        x = Part(lambda x: unit("unit01", 4, 1, True)(x), name="stage1")(x)
        units = lambda x: unit("unit02", 6, 1, False)(unit("unit01", 6, 2, False)(x))
        x = Part(units, name="stage2")(x)
        return Part(lambda x: head(x, self.order), name="head")(x)


@pytest.mark.parametrize("order", [original, preactivation])
def test_variables_and_outputs_are_bitwise_those_of_the_network_by_hand(order):
    ours = from_settings((1, 2), widths=(4, 6), num_classes=5, order=order.__name__)
    by_hand = ByHand(order)
    variables = initialize(ours, KEY, (8, 8, 3))
    jax.tree.map(np.testing.assert_array_equal, variables, initialize(by_hand, KEY, (8, 8, 3)))
    mutable = ["batch_stats"]
    jax.tree.map(
        np.testing.assert_array_equal,
        ours.apply(variables, IMAGES, train=True, mutable=mutable),
        by_hand.apply(variables, IMAGES, mutable=mutable),
    )
