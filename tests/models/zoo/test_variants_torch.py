"""Orders, shortcuts, branches, norms and stems against PyTorch, given the same weights.

Each unit is written here as a line of layers, as in the papers' figures; `Twin` interprets it.
"""

from types import SimpleNamespace

import jax
import numpy as np
import optax
import pytest
from flax.traverse_util import flatten_dict
from made_variables import made_variables

from resnet_jax.models import from_settings

torch = pytest.importorskip("torch")
F = torch.nn.functional
FAST_COMPILATION = {"xla_backend_optimization_level": 0}

ORIGINAL = "conv1 norm1 act conv2 norm2 + act"
UNITS = {
    ("original", "single"): "conv1 norm1 + act",
    ("original", "basic"): ORIGINAL,
    ("original", "bottleneck"): "conv1 norm1 act conv2 norm2 act conv3 norm3 + act",
    ("bn_after_addition", "basic"): "conv1 norm1 act conv2 + norm_after_addition act",
    ("bn_after_addition", "bottleneck"): (
        "conv1 norm1 act conv2 norm2 act conv3 + norm_after_addition act"
    ),
    ("relu_before_addition", "basic"): "conv1 norm1 act conv2 norm2 act +",
    ("relu_before_addition", "bottleneck"): "conv1 norm1 act conv2 norm2 act conv3 norm3 act +",
    ("relu_only_preactivation", "basic"): "act | conv1 norm1 act conv2 norm2 +",
    (
        "relu_only_preactivation",
        "bottleneck",
    ): "act | conv1 norm1 act conv2 norm2 act conv3 norm3 +",
    ("preactivation", "single"): "norm1 act | conv1 +",
    ("preactivation", "basic"): "norm1 act | conv1 norm2 act conv2 +",
    ("preactivation", "bottleneck"): "norm1 act | conv1 norm2 act conv2 norm3 act conv3 +",
    ("identity_after_addition", "basic"): "conv1 norm1 act conv2 norm2 +",
    ("one_norm", "basic"): "conv1 norm1 act conv2 +",
    ("one_norm", "bottleneck"): "conv1 act conv2 norm2 act conv3 +",
}
"""Order and branch -> layers; | ends the pre-activation, + is the addition."""

HEADS = {"relu_only_preactivation": "act", "preactivation": "norm act"}
BOTTLENECK = {"branch": "bottleneck", "shortcut": "B"}
CASES = {
    **{
        f"{order} {branch}": {"order": order, "branch": branch, "shortcut": "B"}
        for order, branch in UNITS
    },
    "shortcut D": {"shortcut": "D"},
    "identity plus conv": {"shortcut": "identity_plus_conv"},
    "exclusive gating": {"shortcut": "exclusive_gating", "gate_bias": -1.0},
    "shortcut-only gating": {"shortcut": "shortcut_only_gating", "gate_bias": 0.5},
    "grouped": BOTTLENECK | {"cardinality": 2, "bottleneck_width": 64},
    "twice as wide inside": BOTTLENECK | {"bottleneck_width": 128},
    "squeeze and excitation": {"squeeze": 2},
    "group norm": {"normalization": "group", "norm_groups": 2},
    "layer norm": {"normalization": "layer"},
    "5x5": {"kernel_size": 5},
    "wide, narrow stem": {"stem_width": 2, "order": "preactivation", "shortcut": "B"},
    "deep stem": {"stem": "deep"},
    "no stem": {"stem": "none", "shortcut": "B"},
    **{act: {"activation": act} for act in ("leaky_relu", "elu", "gelu", "swish", "tanh")},
}
DEFAULTS = {
    "stem": "cifar",
    "branch": "basic",
    "shortcut": "A",
    "order": "original",
    "normalization": "batch",
    "activation": "relu",
    "squeeze": 0,
}
QUICK = (
    "bn_after_addition basic",
    "relu_before_addition basic",
    "relu_only_preactivation basic",
    "original single",
    "shortcut D",
    "exclusive gating",
    "grouped",
    "squeeze and excitation",
    "group norm",
    "no stem",
)
SLOW = ("shortcut-only gating", "identity plus conv", "deep stem")
ACTIVATIONS = {
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.01),
    "elu": F.elu,
    "gelu": F.gelu,
    "swish": F.silu,
    "tanh": torch.tanh,
}


class Twin:
    """The same network in PyTorch, reading weights by their paths."""

    def __init__(self, weights, **settings):
        self.settings, self.weights = SimpleNamespace(**DEFAULTS | settings), weights
        self.act = ACTIVATIONS[self.settings.activation]

    def conv(self, x, path, stride=1):
        kernel = self.weights[f"{path}/kernel"].permute(3, 2, 0, 1)
        groups = x.shape[1] // kernel.shape[1]
        return F.conv2d(x, kernel, None, stride, (kernel.shape[-1] - 1) // 2, groups=groups)

    def norm(self, x, path):
        if f"{path}/scale" not in self.weights:
            return x
        scale, bias = self.weights[f"{path}/scale"], self.weights[f"{path}/bias"]
        if self.settings.normalization == "batch":
            return F.batch_norm(x, None, None, scale, bias, training=True)
        groups = self.settings.norm_groups if self.settings.normalization == "group" else 1
        return F.group_norm(x, groups, scale, bias)

    def walk(self, x, layers, path, stride=1):
        """Applies a line of layers; the first convolution has the stride."""
        for layer in layers.split():
            if layer.startswith("conv"):
                x = self.conv(x, f"{path}/{layer}", stride)
                stride = 1
            else:
                x = self.act(x) if layer == "act" else self.norm(x, f"{path}/{layer}")
        return x

    def unit(self, x, path, stride, first):
        line = UNITS[self.settings.order, self.settings.branch]
        pre, _, rest = line.rpartition("| ")
        branch, _, after = rest.partition("+")
        preactivated = x if first else self.walk(x, pre, path)
        residual = self.excite(self.walk(preactivated, branch, path, stride), path)
        h, gate = self.shortcut(
            x, preactivated, path, stride, residual.shape[1], "norm" in branch[-12:]
        )
        return self.walk(h + gate * residual, after, path)

    def excite(self, x, path):
        if not self.settings.squeeze:
            return x
        dense = lambda z, name: (
            z @ self.weights[f"{path}/attention/{name}/kernel"]
            + self.weights[f"{path}/attention/{name}/bias"]
        )
        z = torch.sigmoid(dense(F.relu(dense(x.mean((2, 3)), "squeeze")), "excite"))
        return x * z[:, :, None, None]

    def shortcut(self, x, preactivated, path, stride, features, norms):
        name = self.settings.shortcut
        if stride == 1 and x.shape[1] == features and name in ("B", "D"):
            return x, 1
        if name in ("B", "D"):
            return self.project(preactivated, path, stride, norms, pools=name == "D"), 1
        missing = features - x.shape[1]
        identity = F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, 0, missing))
        if name == "identity_plus_conv":
            return identity + self.project(preactivated, path, stride, norms), 1
        if "gating" in name:
            bias = self.weights[f"{path}/gate/bias"][:, None, None]
            gate = torch.sigmoid(self.conv(x, f"{path}/gate/conv", stride) + bias)
            return (1 - gate) * identity, gate if name == "exclusive_gating" else 1
        return identity, 1

    def project(self, x, path, stride, norms, pools=False):
        if pools and stride == 2:
            x = F.avg_pool2d(x, 2, 2, ceil_mode=True, count_include_pad=False)
            stride = 1
        x = self.conv(x, f"{path}/shortcut/conv", stride)
        return self.norm(x, f"{path}/shortcut/norm") if norms else x

    def stem(self, x):
        if self.settings.stem == "none":
            return x
        if self.settings.stem == "cifar":
            return self.walk(x, "conv norm act", "stem")
        x = self.walk(x, "conv1 norm1 act conv2 norm2 act conv3 norm3 act", "stem", stride=2)
        return F.max_pool2d(x, 3, 2, 1)

    def __call__(self, images):
        x = self.stem(images.permute(0, 3, 1, 2))
        for stage, size in enumerate(self.settings.stage_sizes, start=1):
            for unit in range(1, size + 1):
                stride = 2 if unit == 1 and stage > 1 else 1
                x = self.unit(x, f"stage{stage}/unit{unit:02}", stride, (stage, unit) == (1, 1))
        x = self.walk(x, HEADS.get(self.settings.order, ""), "head").mean((2, 3))
        return x @ self.weights["head/dense/kernel"] + self.weights["head/dense/bias"]


def marked(case):
    """Cases outside `QUICK` are slow (run in CI) or long."""
    often = pytest.mark.slow if case in SLOW else pytest.mark.long
    return pytest.param(case, marks=() if case in QUICK else often)


@pytest.mark.parametrize("case", map(marked, CASES))
def test_values_and_gradients(case):
    side = 20 if case == "deep stem" else 7
    settings = {"stage_sizes": (1, 2), "widths": (4, 6), "num_classes": 5} | CASES[case]
    model = from_settings(**settings)
    images = jax.random.normal(jax.random.key(0), (6, side, side, 3))
    labels = np.arange(6) % 5
    params = made_variables(model, images.shape[1:])["params"]

    def loss(params):
        logits, _ = model.apply({"params": params}, images, train=True, mutable=["batch_stats"])
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean(), logits

    gradient = jax.grad(loss, has_aux=True)
    gradients, logits = jax.jit(gradient, compiler_options=FAST_COMPILATION)(params)
    weights = {
        path: torch.tensor(np.asarray(leaf), requires_grad=True)
        for path, leaf in flatten_dict(params, sep="/").items()
    }
    expected = Twin(weights, **settings)(torch.tensor(np.asarray(images)))
    F.cross_entropy(expected, torch.tensor(labels)).backward()

    np.testing.assert_allclose(logits, expected.detach().numpy(), rtol=1e-4, atol=1e-4)
    for path, gradient in flatten_dict(gradients, sep="/").items():
        np.testing.assert_allclose(
            gradient, weights[path].grad.numpy(), rtol=2e-3, atol=1e-4, err_msg=path
        )


def test_every_order_has_a_case():
    from resnet_jax.models.orders import ORDERS

    assert {order for order, _ in UNITS} == ORDERS.keys()
