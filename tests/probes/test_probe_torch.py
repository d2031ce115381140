"""Every reading against PyTorch's autograd, which keeps the gradient of each tensor by a hook.

The PyTorch side is written from the papers, unit by unit, and shares no code with the package.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from resnet_jax import probes
from resnet_jax.models import from_settings

torch = pytest.importorskip("torch")
F = torch.nn.functional

CASES = {
    "plain": {"shortcut": "none"},
    "basic B": {"shortcut": "B"},
    "bottleneck B": {"shortcut": "B", "branch": "bottleneck"},
    "preactivation B": {"shortcut": "B", "order": "preactivation"},
    "preactivation A": {"shortcut": "A", "order": "preactivation"},
    "preactivation bottleneck B": {
        "shortcut": "B",
        "branch": "bottleneck",
        "order": "preactivation",
    },
    "no norm": {"shortcut": "A", "normalization": "none"},
    "imagenet": {"shortcut": "B", "stem": "imagenet"},
}
DEFAULTS = {
    "stem": "cifar",
    "branch": "basic",
    "shortcut": "A",
    "order": "original",
    "normalization": "batch",
}
QUICK = ("basic B", "preactivation B")
SLOW = ("preactivation bottleneck B", "imagenet")


class Twin:
    """The network in PyTorch, in training mode, keeping each output and its gradient by path."""

    def __init__(self, params, **settings):
        self.settings, self.kept = SimpleNamespace(**DEFAULTS | settings), {}
        self.weights = {
            path: torch.tensor(np.asarray(leaf), requires_grad=True)
            for path, leaf in flatten_dict(params, sep="/").items()
        }

    def keep(self, path, x):
        x.retain_grad()
        self.kept[path] = x
        return x

    def conv(self, x, path, stride=1):
        kernel = self.weights[f"{path}/kernel"].permute(3, 2, 0, 1)
        padding = (kernel.shape[-1] - 1) // 2
        return self.keep(path, F.conv2d(x, kernel, stride=stride, padding=padding))

    def norm(self, x, path):
        if self.settings.normalization == "none":
            return x
        scale, bias = self.weights[f"{path}/scale"], self.weights[f"{path}/bias"]
        return self.keep(path, F.batch_norm(x, None, None, scale, bias, True, eps=1e-5))

    def branch(self, x, path, stride):
        convs = [2] if self.settings.branch == "basic" else [2, 3]
        post = self.settings.order == "original"
        x = self.conv(x, f"{path}/conv1", stride)
        for number in convs:
            x = F.relu(self.norm(x, f"{path}/norm{number - post}"))
            x = self.conv(x, f"{path}/conv{number}")
        return self.norm(x, f"{path}/norm{convs[-1]}") if post else x

    def shortcut(self, x, opened, path, stride, features):
        if self.settings.shortcut == "none":
            return 0
        if self.settings.shortcut == "A":
            return F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, 0, features - x.shape[1]))
        if self.settings.shortcut == "B" and stride == 1 and x.shape[1] == features:
            return x
        projected = self.conv(opened, f"{path}/shortcut/conv", stride)
        post = self.settings.order == "original"
        return self.norm(projected, f"{path}/shortcut/norm") if post else projected

    def unit(self, x, path, stride, first):
        post = self.settings.order == "original"
        opened = x if post or first else F.relu(self.norm(x, f"{path}/norm1"))
        branch = self.branch(opened, path, stride)
        y = self.shortcut(x, opened, path, stride, branch.shape[1]) + branch
        return self.keep(path, F.relu(y) if post else y)

    def __call__(self, images):
        imagenet = self.settings.stem == "imagenet"
        x = self.conv(images, "stem/conv", 2 if imagenet else 1)
        x = F.relu(self.norm(x, "stem/norm"))
        x = self.keep("stem", F.max_pool2d(x, 3, 2, 1) if imagenet else x)
        for stage, size in enumerate(self.settings.stage_sizes, start=1):
            for unit in range(1, size + 1):
                stride = 2 if unit == 1 and stage > 1 else 1
                x = self.unit(x, f"stage{stage}/unit{unit:02}", stride, (stage, unit) == (1, 1))
        if self.settings.order == "preactivation":
            x = F.relu(self.norm(x, "head/norm"))
        logits = x.mean((2, 3)) @ self.weights["head/dense/kernel"]
        return self.keep("head", logits + self.weights["head/dense/bias"])


def by_torch(settings, variables, images, labels):
    twin = Twin(variables["params"], **settings)
    logits = twin(torch.tensor(np.asarray(images)).permute(0, 3, 1, 2))
    F.cross_entropy(logits, torch.tensor(np.asarray(labels), dtype=torch.long)).backward()
    return twin


def marked(case):
    """Two cases run by default, two are slow, the others are marked `long`."""
    often = pytest.mark.slow if case in SLOW else pytest.mark.long
    return pytest.param(case, marks=() if case in QUICK else often)


@pytest.mark.parametrize("case", map(marked, CASES))
def test_every_site(case, drawn):
    extent = 24 if case == "imagenet" else 6
    settings = {"stage_sizes": (1, 2), "widths": (4, 6), "num_classes": 5} | CASES[case]
    model = from_settings(**settings)
    given = drawn(model, (6, extent, extent, 3))
    table = probes.measure(model, *given).table()
    twin = by_torch(settings, *given)

    activations = table[(table.kind == "activation")].set_index("site")
    aliases = {"stage1", "stage2", "head/dense", "stage2/unit01/shortcut", "stage1/unit01/shortcut"}
    assert set(activations.index) - aliases == twin.kept.keys()
    close = lambda ours, theirs: np.testing.assert_allclose(ours, theirs, 2e-3, 1e-5, err_msg=path)
    for path, signal in twin.kept.items():
        row, gradient = activations.loc[path], signal.grad
        within = signal.transpose(0, 1).flatten(1).var(1, unbiased=False)
        close(row.gradient_norm, gradient.norm())
        close(row.gradient_rms, 6 * gradient.square().mean().sqrt())
        close(row.signal_mean, signal.detach().mean())
        close(row.signal_variance, signal.detach().var(unbiased=False))
        close(row.signal_std, signal.detach().std(unbiased=False))
        close(row.channel_variance, within.detach().mean())

    parameters = table[table.kind == "parameter"].set_index("site")
    assert set(parameters.index) == twin.weights.keys()
    for path, weight in twin.weights.items():
        row = parameters.loc[path]
        close(row.gradient_norm, weight.grad.norm())
        close(row.invariant, weight.grad.norm() * weight.detach().norm())


def test_the_joint_gradient_norm_of_a_units_kernels(drawn):
    settings = {"stage_sizes": (1,), "widths": (4,), "num_classes": 5, "shortcut": "C"}
    model = from_settings(**settings)
    given = drawn(model)
    table = probes.measure(model, *given, sites="stage*/unit??").table()
    weights = by_torch(settings, *given).weights
    for row in table[table.kind == "unit"].itertuples():
        convs = [weights[f"{row.site}/conv{number}/kernel"] for number in (1, 2)]
        joined = torch.cat([conv.grad.flatten() for conv in convs])
        np.testing.assert_allclose(row.gradient_norm, joined.norm(), rtol=2e-3)
        np.testing.assert_allclose(row.gradient_rms, joined.square().mean().sqrt(), rtol=2e-3)
        assert any(path.startswith(f"{row.site}/shortcut") for path in weights)


def test_label_smoothing(drawn):
    settings = {"stage_sizes": (1,), "widths": (4,), "num_classes": 5}
    model = from_settings(**settings)
    variables, images, labels = given = drawn(model)
    table = probes.measure(model, *given, sites="head/dense/bias", label_smoothing=0.2).table()
    twin = Twin(variables["params"], **settings)
    logits = twin(torch.tensor(np.asarray(images)).permute(0, 3, 1, 2))
    targets = torch.tensor(np.asarray(labels), dtype=torch.long)
    F.cross_entropy(logits, targets, label_smoothing=0.2).backward()
    expected = twin.weights["head/dense/bias"].grad.norm()
    np.testing.assert_allclose(table.gradient_norm.item(), expected, rtol=1e-4)
