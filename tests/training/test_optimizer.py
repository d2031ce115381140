import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from resnet_jax.training import config as configs
from resnet_jax.training import optimizer as optimizers

TREE = {
    "conv": {"kernel": np.array([[1.0, -2.0]], np.float32)},
    "norm": {"scale": np.array([3.0], np.float32)},
}


def make(**settings):
    named = {f"optimizer.{name}": value for name, value in settings.items()}
    return optimizers.from_config(configs.override(configs.base(), named).optimizer)


def ours(optimizer, gradients, learning_rate):
    """The parameters after one update for each gradient."""
    params = jax.tree.map(jnp.float32, TREE)
    state = optimizer.transformation(learning_rate).init(params)
    for gradient in gradients:
        updates, state = optimizer.transformation(learning_rate).update(gradient, state, params)
        params = optax.apply_updates(params, updates)
    return params


def theirs(torch, make_optimizer, gradients):
    params = jax.tree.map(lambda x: torch.nn.Parameter(torch.tensor(x)), TREE)
    leaves = jax.tree.leaves(params)
    optimizer = make_optimizer(leaves)
    for gradient in gradients:
        for leaf, grad in zip(leaves, jax.tree.leaves(gradient), strict=True):
            leaf.grad = torch.tensor(grad)
        optimizer.step()
    return jax.tree.map(lambda x: x.detach().numpy(), params)


def gradients():
    draw = np.random.default_rng(0)
    return [
        jax.tree.map(lambda x: draw.normal(size=x.shape).astype(np.float32), TREE) for _ in range(5)
    ]


@pytest.mark.parametrize(
    ("settings", "name", "arguments"),
    [
        ({"name": "sgd"}, "SGD", {"momentum": 0.9}),
        ({"name": "sgd", "nesterov": True}, "SGD", {"momentum": 0.9, "nesterov": True}),
        ({"name": "adam"}, "Adam", {}),
        ({"name": "adamw"}, "AdamW", {}),
    ],
)
def test_updates_agree_with_pytorch(settings, name, arguments):
    torch = pytest.importorskip("torch")
    expected = theirs(
        torch,
        lambda leaves: getattr(torch.optim, name)(leaves, lr=0.1, weight_decay=0.01, **arguments),
        gradients(),
    )
    found = ours(make(weight_decay=0.01, **settings), gradients(), 0.1)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5), found, expected)


def test_decay_is_chosen_by_name():
    assert make().decays(TREE) == {"conv": {"kernel": True}, "norm": {"scale": True}}
    assert make(decay="kernels").decays(TREE) == {
        "conv": {"kernel": True},
        "norm": {"scale": False},
    }


def test_clipping_keeps_the_direction_and_limits_the_norm():
    gradient = {
        "conv": {"kernel": jnp.array([[3.0, 0.0]])},
        "norm": {"scale": jnp.array([4.0])},
    }
    clipped = ours(make(weight_decay=0.0, clip_norm=0.5), [gradient], learning_rate=1.0)
    moved = jax.tree.map(lambda before, after: before - after, TREE, clipped)
    np.testing.assert_allclose(moved["conv"]["kernel"], [[0.3, 0.0]], atol=1e-6)
    np.testing.assert_allclose(moved["norm"]["scale"], [0.4], rtol=1e-5)
