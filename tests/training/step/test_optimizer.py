import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from resnet_jax.training import config as configs
from resnet_jax.training.step import optimizer as optimizers

TREE = {
    "conv": {"kernel": np.array([[1.0, -2.0]], np.float32)},
    "norm": {"scale": np.array([3.0], np.float32)},
}


def make(**settings):
    named = {f"optimizer.{name}": value for name, value in settings.items()}
    return optimizers.from_config(configs.override(configs.base(), named).optimizer)


def ours(optimizer, gradients, learning_rate):
    """The parameters after one update per gradient, at one learning rate or at one per update."""
    params = jax.tree.map(jnp.float32, TREE)
    rates = np.broadcast_to(learning_rate, len(gradients)).tolist()
    state = optimizer.transformation(rates[0]).init(params)
    for rate, gradient in zip(rates, gradients, strict=True):
        updates, state = optimizer.transformation(rate).update(gradient, state, params)
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
        ({"name": "sgd", "momentum": 0.0}, "SGD", {}),
        ({"name": "rmsprop", "b2": 0.99}, "RMSprop", {"momentum": 0.9}),
        ({"name": "rmsprop", "b2": 0.9, "momentum": 0.0}, "RMSprop", {"alpha": 0.9}),
        ({"name": "adagrad", "epsilon": 1e-10}, "Adagrad", {}),
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


def ratio_of_norms(a, b):
    return np.linalg.norm(a) / np.linalg.norm(b) if np.any(a) and np.any(b) else 1.0


def lars(rates, momentum=0.9, decay=0.01, trust=0.001):
    """You et al. 2017, algorithm 1, in NumPy; |g + d w| stands for |g| + d |w|."""
    weights, speed = jax.tree.leaves(TREE), [0.0, 0.0]
    for rate, gradient in zip(rates, gradients(), strict=True):
        for layer, g in enumerate(jax.tree.leaves(gradient)):
            whole = g + decay * weights[layer]
            local = trust * ratio_of_norms(weights[layer], whole)
            speed[layer] = momentum * speed[layer] + rate * local * whole
            weights[layer] = weights[layer] - speed[layer]
    return weights


def lamb(rates, decay=0.01, b1=0.9, b2=0.999, epsilon=1e-6):
    """You et al. 2019, algorithm 2, in NumPy."""
    weights, first, second = jax.tree.leaves(TREE), [0.0, 0.0], [0.0, 0.0]
    for t, (rate, gradient) in enumerate(zip(rates, gradients(), strict=True), start=1):
        for layer, g in enumerate(jax.tree.leaves(gradient)):
            first[layer] = b1 * first[layer] + (1 - b1) * g
            second[layer] = b2 * second[layer] + (1 - b2) * g**2
            ratio = first[layer] / (1 - b1**t) / (np.sqrt(second[layer] / (1 - b2**t)) + epsilon)
            step = ratio + decay * weights[layer]
            weights[layer] = weights[layer] - rate * ratio_of_norms(weights[layer], step) * step
    return weights


@pytest.mark.parametrize(
    ("settings", "expected"), [({"name": "lars"}, lars), ({"name": "lamb", "epsilon": 1e-6}, lamb)]
)
def test_layerwise_ratios_agree_with_the_papers_formulas(settings, expected):
    rates = [0.2, 0.1, 0.05, 0.1, 0.2]  # LARS applies them before its momentum
    found = jax.tree.leaves(ours(make(weight_decay=0.01, **settings), gradients(), rates))
    for one, other in zip(found, expected(rates), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4)


def test_a_step_of_lars_has_the_norm_of_the_weights_times_the_trust_coefficient():
    gradient = gradients()[:1]
    after = ours(make(name="lars", weight_decay=0.0, trust_coefficient=0.01), gradient, 1.0)
    moved = jax.tree.map(lambda a, b: np.linalg.norm(a - b) / np.linalg.norm(a), TREE, after)
    np.testing.assert_allclose(jax.tree.leaves(moved), 0.01, rtol=1e-4)


def test_kernels_only_leaves_the_other_parameters_without_a_ratio():
    gradient = gradients()[:1]
    only = make(name="lars", weight_decay=0.0, decay="kernels")
    scale = ours(only, gradient, 0.1)["norm"]["scale"]
    np.testing.assert_allclose(scale, 3.0 - 0.1 * gradient[0]["norm"]["scale"], rtol=1e-6)


def test_a_parameter_that_starts_at_zero_is_updated():
    zero, gradient = jax.tree.map(jnp.zeros_like, TREE), gradients()[0]
    for name in ("lars", "lamb"):
        transformation = make(name=name).transformation(0.1)
        updates, _ = transformation.update(gradient, transformation.init(zero), zero)
        assert all(np.all(np.isfinite(x)) and np.any(x) for x in jax.tree.leaves(updates))


def test_clipping_by_value_limits_each_element_on_its_own():
    gradient = {
        "conv": {"kernel": jnp.array([[3.0, -0.25]])},
        "norm": {"scale": jnp.array([-4.0])},
    }
    clipped = ours(make(weight_decay=0.0, momentum=0.0, clip_value=0.5), [gradient], 1.0)
    moved = jax.tree.map(lambda before, after: before - after, TREE, clipped)
    np.testing.assert_allclose(moved["conv"]["kernel"], [[0.5, -0.25]])
    np.testing.assert_allclose(moved["norm"]["scale"], [-0.5])


@pytest.mark.parametrize("decay", ["all", "kernels"])
def test_l1_is_the_gradient_of_its_penalty(decay):
    def penalty(params):
        scale = jnp.abs(params["norm"]["scale"]).sum() if decay == "all" else 0.0
        return 0.03 * (jnp.abs(params["conv"]["kernel"]).sum() + scale)

    none = jax.tree.map(jnp.zeros_like, TREE)
    after = ours(make(weight_decay=0.0, momentum=0.0, l1=0.03, decay=decay), [none], 1.0)
    expected = jax.tree.map(lambda w, g: w - g, TREE, jax.grad(penalty)(TREE))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), after, expected)


def test_l1_leaves_a_weight_of_zero_where_it_is():
    transformation = make(weight_decay=0.0, l1=0.1).transformation(1.0)
    zero = jax.tree.map(jnp.zeros_like, TREE)
    updates, _ = transformation.update(zero, transformation.init(zero), zero)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(updates))
