"""Values and gradients of small networks against PyTorch, given the same weights.

The PyTorch side is written from the papers, unit by unit, and shares no code with the package.
"""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax.traverse_util import flatten_dict
from made_variables import made_variables

from resnet_jax.models import from_settings

torch = pytest.importorskip("torch")
F = torch.nn.functional
FAST_COMPILATION = {"xla_backend_optimization_level": 0}

CASES = {
    "plain": {"shortcut": "none"},
    "basic A": {"shortcut": "A"},
    "basic B": {"shortcut": "B"},
    "basic C": {"shortcut": "C"},
    "bottleneck B": {"shortcut": "B", "branch": "bottleneck"},
    "bottleneck v1.5": {"shortcut": "B", "branch": "bottleneck", "stride_on": "conv2"},
    "preactivation basic A": {"shortcut": "A", "order": "preactivation"},
    "preactivation basic B": {"shortcut": "B", "order": "preactivation"},
    "preactivation bottleneck B": {
        "shortcut": "B",
        "branch": "bottleneck",
        "order": "preactivation",
    },
    "no norm": {"shortcut": "B", "normalization": "none"},
    "imagenet": {"shortcut": "B", "stem": "imagenet"},
    "scaled": {
        "shortcut": "scaled",
        "shortcut_scale": 0.5,
        "branch_scale": "constant",
        "branch_constant": 0.25,
    },
    "skipinit": {"shortcut": "B", "normalization": "none", "branch_scale": "skipinit"},
    "rezero": {"order": "preactivation", "normalization": "none", "branch_scale": "rezero"},
    "fixup": {"shortcut": "B", "normalization": "none", "branch_scale": "fixup"},
    "fixup preactivation bottleneck": {
        "shortcut": "C",
        "branch": "bottleneck",
        "order": "preactivation",
        "normalization": "none",
        "branch_scale": "fixup",
    },
}
DEFAULTS = {
    "stem": "cifar",
    "branch": "basic",
    "stride_on": "conv1",
    "shortcut": "A",
    "shortcut_scale": 1.0,
    "order": "original",
    "normalization": "batch",
    "branch_scale": "none",
}
QUICK = ("basic B", "bottleneck B", "preactivation basic A", "preactivation bottleneck B", "fixup")
SLOW = ("plain", "basic A", "bottleneck v1.5", "no norm", "imagenet", "scaled")


class Twin:
    """The same network in PyTorch, in training mode, reading weights by their paths."""

    def __init__(self, weights, **settings):
        self.settings, self.weights = SimpleNamespace(**DEFAULTS | settings), weights
        self.running = {}  # path -> (mean, variance)

    def conv(self, x, path, stride=1):
        kernel = self.weights[f"{path}/kernel"].permute(3, 2, 0, 1)
        return F.conv2d(x, kernel, stride=stride, padding=(kernel.shape[-1] - 1) // 2)

    def norm(self, x, path):
        if self.settings.normalization == "none":
            return x
        mean, var = torch.zeros(x.shape[1]), torch.ones(x.shape[1])
        scale, bias = self.weights[f"{path}/scale"], self.weights[f"{path}/bias"]
        x = F.batch_norm(x, mean, var, scale, bias, True, 0.1, 1e-5)
        self.running[path] = mean, var
        return x

    def shift(self, x, path):
        """Fixup's scalar biases (Zhang et al. 2019, rule 3)."""
        return x + self.weights[f"{path}/bias"] if self.settings.branch_scale == "fixup" else x

    def relu(self, x, path):
        return F.relu(self.shift(x, path))

    def scale(self, branch, path):
        if self.settings.branch_scale == "constant":
            return self.settings.branch_constant * branch
        learnable = self.settings.branch_scale != "none"
        return self.weights[f"{path}/scale"] * branch if learnable else branch

    def unit(self, x, path, stride, first):
        original = self.settings.order == "original"
        preactivated = x
        if not (original or first):
            preactivated = self.relu(self.norm(x, f"{path}/norm1"), f"{path}/before_activation1")
        preactivated = self.shift(preactivated, f"{path}/before_conv1")
        branch = (self.post if original else self.pre)(preactivated, path, stride)
        y = self.shortcut(x, preactivated, path, stride) + self.scale(branch, path)
        return self.relu(y, f"{path}/before_activation_after_addition") if original else y

    def strides(self, stride):
        if self.settings.branch == "basic":
            return stride, 1
        return (stride, 1, 1) if self.settings.stride_on == "conv1" else (1, stride, 1)

    def post(self, x, path, stride):
        strides = self.strides(stride)
        for number, step in enumerate(strides, start=1):
            x = self.shift(x, f"{path}/before_conv{number}") if number > 1 else x
            x = self.norm(self.conv(x, f"{path}/conv{number}", step), f"{path}/norm{number}")
            x = self.relu(x, f"{path}/before_activation{number}") if number < len(strides) else x
        return x

    def pre(self, x, path, stride):
        first, *rest = self.strides(stride)
        x = self.conv(x, f"{path}/conv1", first)
        for number, step in enumerate(rest, start=2):
            x = self.relu(self.norm(x, f"{path}/norm{number}"), f"{path}/before_activation{number}")
            x = self.shift(x, f"{path}/before_conv{number}")
            x = self.conv(x, f"{path}/conv{number}", step)
        return x

    def shortcut(self, x, preactivated, path, stride):
        last = "conv2" if self.settings.branch == "basic" else "conv3"
        features = self.weights[f"{path}/{last}/kernel"].shape[-1]
        if self.settings.shortcut == "none":
            return 0
        if self.settings.shortcut in ("A", "scaled"):
            x = F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, 0, features - x.shape[1]))
            return self.settings.shortcut_scale * x
        if self.settings.shortcut == "B" and stride == 1 and x.shape[1] == features:
            return x
        projected = self.conv(preactivated, f"{path}/shortcut/conv", stride)
        original = self.settings.order == "original"
        return self.norm(projected, f"{path}/shortcut/norm") if original else projected

    def __call__(self, images):
        imagenet = self.settings.stem == "imagenet"
        x = self.conv(images.permute(0, 3, 1, 2), "stem/conv", 2 if imagenet else 1)
        x = self.relu(self.norm(x, "stem/norm"), "stem/before_activation")
        x = F.max_pool2d(x, 3, 2, 1) if imagenet else x
        for stage, size in enumerate(self.settings.stage_sizes, start=1):
            for unit in range(1, size + 1):
                stride = 2 if unit == 1 and stage > 1 else 1
                x = self.unit(x, f"stage{stage}/unit{unit:02}", stride, (stage, unit) == (1, 1))
        if self.settings.order == "preactivation":
            x = self.relu(self.norm(x, "head/norm"), "head/before_activation")
        x = self.shift(x.mean((2, 3)), "head/before_dense")
        return x @ self.weights["head/dense/kernel"] + self.weights["head/dense/bias"]


def draw_variables(model, images):
    """Random parameters, so that none is at a special value, and initial batch statistics."""
    variables = made_variables(model, images.shape[1:])
    initial = jax.tree.map(np.round, variables.get("batch_stats", {}))  # means 0, variances 1
    return {"params": variables["params"], "batch_stats": initial}


def by_jax(model, variables, images, labels):
    def loss(params, images):
        given = variables | {"params": params}
        logits, state = model.apply(given, images, train=True, mutable=["batch_stats"])
        entropy = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
        return entropy, (logits, state)

    gradient = jax.grad(loss, argnums=(0, 1), has_aux=True)
    step = jax.jit(gradient, compiler_options=FAST_COMPILATION)
    (params, image_gradient), (logits, state) = step(variables["params"], images)
    return logits, flatten_dict(params, sep="/"), image_gradient, state


def by_torch(settings, variables, images, labels):
    weights = {
        path: torch.tensor(np.asarray(leaf), requires_grad=True)
        for path, leaf in flatten_dict(variables["params"], sep="/").items()
    }
    images = torch.tensor(np.asarray(images), requires_grad=True)
    twin = Twin(weights, **settings)
    logits = twin(images)
    F.cross_entropy(logits, torch.tensor(np.asarray(labels), dtype=torch.long)).backward()
    gradients = {path: leaf.grad.numpy() for path, leaf in weights.items()}
    return logits.detach().numpy(), gradients, images.grad.numpy(), twin.running


def marked(case):
    """Cases outside `QUICK` are slow (run in CI) or long."""
    often = pytest.mark.slow if case in SLOW else pytest.mark.long
    return pytest.param(case, marks=() if case in QUICK else often)


@pytest.mark.parametrize("case", map(marked, CASES))
def test_values_gradients_and_statistics(case):
    extent = 24 if case == "imagenet" else 6
    settings = {"stage_sizes": (1, 2), "widths": (4, 6), "num_classes": 5} | CASES[case]
    model = from_settings(**settings)
    images = jax.random.normal(jax.random.key(0), (6, extent, extent, 3))
    labels = jnp.arange(6) % 5
    variables = draw_variables(model, images)

    logits, params, image, state = by_jax(model, variables, images, labels)
    torch_logits, torch_params, torch_image, running = by_torch(settings, variables, images, labels)

    np.testing.assert_allclose(logits, torch_logits, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(image, torch_image, rtol=1e-3, atol=1e-5)
    assert params.keys() == torch_params.keys()
    for path, gradient in params.items():
        np.testing.assert_allclose(gradient, torch_params[path], rtol=1e-3, atol=1e-4, err_msg=path)
    means = flatten_dict(state.get("batch_stats", {}), sep="/")
    assert {path.removesuffix("/mean") for path in means if path.endswith("mean")} == running.keys()
    for path, (mean, _) in running.items():
        np.testing.assert_allclose(means[f"{path}/mean"], mean, rtol=1e-3, atol=1e-5, err_msg=path)


def test_running_variance_is_the_biased_one():
    """PyTorch stores n / (n - 1) times the variance that it normalizes by; Linen stores that."""
    settings = {"stage_sizes": (1,), "widths": (4,), "num_classes": 5}
    model = from_settings(**settings)
    images = jax.random.normal(jax.random.key(0), (3, 2, 2, 1))
    variables = draw_variables(model, images)
    _, _, _, state = by_jax(model, variables, images, jnp.arange(3))
    _, _, _, running = by_torch(settings, variables, images, jnp.arange(3))
    count, (_, unbiased) = 3 * 2 * 2, running["stem/norm"]
    update = unbiased.numpy() - model.momentum
    expected = model.momentum + update * (count - 1) / count
    np.testing.assert_allclose(state["batch_stats"]["stem"]["norm"]["var"], expected, rtol=1e-4)
