"""User-defined Linen modules."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax.errors import InvalidRngError
from made_variables import made_variables

from resnet_jax import models, probes
from resnet_jax.errors import UserError

IMAGES = np.random.default_rng(0).standard_normal((8, 6), np.float32)
LABELS = np.arange(8) % 3


class Perceptron(nn.Module):
    """With a mark after each ReLU, and dropout."""

    dropout: float = 0.0

    @nn.compact
    def __call__(self, x, deterministic=True):
        for layer in (1, 2):
            x = nn.relu(nn.Dense(5)(x))
            x = probes.Mark(name=f"after_relu{layer}")(x)
            x = nn.Dropout(self.dropout)(x, deterministic=deterministic)
        return nn.Dense(3)(x)


class Block(nn.Module):
    @nn.compact
    def __call__(self, x):
        return x + nn.Dense(6)(nn.tanh(x))


class Blocks(nn.Module):
    """Two blocks with default names of Linen, rematerialized or not."""

    remat: bool = False
    calls: int = 1

    @nn.compact
    def __call__(self, x):
        make = nn.remat(Block) if self.remat else Block
        for number in (1, 2):
            block = make(name=f"Block_{number}")
            for _ in range(self.calls):
                x = block(x)
        return nn.Dense(3)(x)


class Scanned(nn.Module):
    """Two layers of a block as one scanned module."""

    @nn.compact
    def __call__(self, x):
        scan = nn.scan(
            lambda block, x, _: (block(x), None),
            variable_axes={"params": 0},
            split_rngs={"params": True},
            length=2,
        )
        x, _ = scan(Block(name="Block_1"), x, None)
        return nn.Dense(3)(x)


def variables_of(model):
    return made_variables(model, IMAGES.shape[1:])


def table_of(model, variables=None, **options):
    variables = variables_of(model) if variables is None else variables
    return probes.measure(model, variables, IMAGES, LABELS, **options).table()


def test_marks():
    variables = variables_of(Perceptron())
    assert variables.keys() == {"params"}
    assert set(variables["params"]) == {"Dense_0", "Dense_1", "Dense_2"}
    table = table_of(Perceptron(), variables, sites=("after_relu?", "Dense_1")).set_index("site")
    dense = nn.Dense(5).apply({"params": variables["params"]["Dense_0"]}, IMAGES)
    np.testing.assert_allclose(table.loc["after_relu1"].signal_mean, nn.relu(dense).mean(), 1e-5)
    row = table.loc["after_relu2"]
    assert (row.stage, row.unit, row.layer, row.depth) == (0, 0, "after_relu2", 1)
    # ReLU blocks part of the gradient, which is smaller before it.
    assert 0 < table.loc["Dense_1"].gradient_norm < row.gradient_norm


def test_dropout_is_active_and_uses_its_key():
    rows = [
        table_of(Perceptron(0.5), sites="Dense_?", rngs={"dropout": jax.random.key(seed)})
        for seed in (0, 0, 1)
    ]
    norms = [row.gradient_norm for row in rows]
    np.testing.assert_array_equal(norms[0], norms[1])
    assert not np.allclose(norms[0], norms[2])


def test_norms_use_batch_statistics_by_default(smooth):
    """In train mode the output of an initial BatchNorm has variance 1, whatever its input."""
    model = smooth()
    images = 7 + 3 * np.random.default_rng(0).standard_normal((8, 4, 4, 1), np.float32)
    variables = made_variables(model, (4, 4, 1), spread=0.0)
    before = jax.tree.map(jnp.copy, variables)
    table = probes.measure(model, variables, images, LABELS, "BatchNorm_?").table()
    np.testing.assert_allclose(table.signal_std, 1, rtol=1e-3)
    np.testing.assert_allclose(table.channel_variance, 1, rtol=1e-3)
    jax.tree.map(np.testing.assert_array_equal, variables, before)


def test_evaluation_mode_is_refused(smooth):
    variables = made_variables(smooth(), (4, 4, 1))
    with pytest.raises(UserError, match="'BatchNorm_0' uses running statistics"):
        probes.measure(smooth(), variables, jnp.zeros((2, 4, 4, 1)), jnp.arange(2), train=False)


def test_params_instead_of_variables_are_refused():
    with pytest.raises(UserError, match=r"no \"params\".*model\.init"):
        table_of(Blocks(), variables_of(Blocks())["params"])


def test_units_with_default_names_of_linen():
    table = table_of(Blocks())
    units = table[table.kind == "unit"]
    assert list(units.site) == ["Block_1", "Block_2"]
    assert list(units.depth) == list(units.unit) == [1, 2]
    kernels = table[table.site.isin(["Block_1/Dense_0/kernel", "Block_2/Dense_0/kernel"])]
    np.testing.assert_allclose(units.gradient_norm, kernels.gradient_norm)


def test_rematerialized_modules():
    variables = variables_of(Blocks())
    plain, remat = table_of(Blocks(), variables), table_of(Blocks(remat=True), variables)
    assert list(plain.site) == list(remat.site)
    names = list(probes.QUANTITIES)
    np.testing.assert_allclose(plain[names], remat[names], rtol=1e-5)


def repeated(variables, of, calls):
    """Signals and gradients of a block's output at each of its calls, by plain JAX."""
    dense = lambda params, x: x @ params["kernel"] + params["bias"]
    steps = [params["Dense_0"] for params in of for _ in range(calls)]

    def loss(shifts):
        x, seen = IMAGES, []
        for params, shift in zip(steps, shifts, strict=True):
            x = x + dense(params, jnp.tanh(x)) + shift
            seen.append(x)
        logits = jax.nn.log_softmax(dense(variables["params"]["Dense_0"], x))
        return -jnp.take_along_axis(logits, LABELS[:, None], 1).mean(), seen

    return jax.jit(jax.grad(loss, has_aux=True))([jnp.zeros_like(IMAGES)] * len(steps))


def test_a_module_called_several_times():
    """The norm over all calls; the mean of the calls' variances."""
    model = Blocks(calls=3)
    variables = variables_of(model)
    blocks = [variables["params"][f"Block_{number}"] for number in (1, 2)]
    gradients, signals = repeated(variables, blocks, 3)
    row = table_of(model, variables, sites="Block_2").query("kind == 'activation'").iloc[0]
    last, seen = np.stack(gradients[3:]), np.stack(signals[3:])
    np.testing.assert_allclose(row.gradient_norm, np.linalg.norm(last), rtol=1e-5)
    np.testing.assert_allclose(row.gradient_rms, 8 * np.sqrt(np.mean(last**2)), rtol=1e-5)
    np.testing.assert_allclose(row.signal_variance, seen.var(axis=(1, 2)).mean(), rtol=1e-5)


def test_a_scanned_module_is_measured_like_repeated_calls():
    variables = variables_of(Scanned())
    stacked = variables["params"]["Block_1"]
    blocks = [jax.tree.map(lambda leaf, at=at: leaf[at], stacked) for at in (0, 1)]
    gradients, _ = repeated(variables, blocks, 1)
    row = table_of(Scanned(), variables, sites="Block_1").query("kind == 'activation'").iloc[0]
    np.testing.assert_allclose(row.gradient_norm, np.linalg.norm(np.stack(gradients)), rtol=1e-5)


class Detached(nn.Module):
    """One layer whose output is unused, and one whose output is not a single array."""

    @nn.compact
    def __call__(self, x):
        nn.Dense(2, name="unused")(x)
        carry = nn.LSTMCell(4).initialize_carry(jax.random.key(0), x.shape)
        _, x = nn.LSTMCell(4, name="pair")(carry, x)
        return nn.Dense(3, name="last")(x)


def test_outputs_without_effect_on_the_loss_and_non_array_outputs():
    table = table_of(Detached(), sites=("unused", "last"))
    sites = table[table.kind == "activation"].set_index("site")
    assert sites.loc["unused"].gradient_norm == 0
    assert np.isnan(sites.loc["unused"].signal_variance)
    with pytest.raises(UserError, match="'pair'"):
        table_of(Detached(), sites="pair")
    assert sites.loc["last"].gradient_norm > 0


def test_half_precision_is_measured_in_float32():
    class Half(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(3, dtype=jnp.bfloat16)(x)

    variables = variables_of(Half())
    full = nn.Dense(3).apply({"params": variables["params"]["Dense_0"]}, IMAGES)
    row = table_of(Half(), variables, sites="Dense_0").iloc[0]
    np.testing.assert_allclose(row.signal_variance, full.var(), rtol=2e-2)
    assert row.signal_variance != float(jnp.bfloat16(row.signal_variance))


@pytest.mark.parametrize(
    ("settings", "rngs", "example"),
    [
        ({"survival": 0.5}, {}, 'rngs={"depth": key}'),
        ({"dropout": 0.5}, {}, 'rngs={"dropout": key}'),
        ({"dropout": 0.5, "survival": 0.5}, {"depth": 0}, 'rngs={"depth": ..., "dropout": key}'),
    ],
)
def test_the_message_about_a_missing_key_names_the_stream(settings, rngs, example):
    model = models.create("resnet8", **settings)
    variables = made_variables(model, (8, 8, 1))
    images, labels = jnp.zeros((2, 8, 8, 1)), jnp.arange(2)
    keys = {name: jax.random.key(seed) for name, seed in rngs.items()} or None
    with pytest.raises(UserError, match=re.escape(example)):
        probes.measure(model, variables, images, labels, rngs=keys)


def test_an_unknown_message_of_flax_about_keys_is_passed_on():
    class Draws(nn.Module):
        @nn.compact
        def __call__(self, x):
            raise InvalidRngError("no key for stream 'noise'")

    with pytest.raises(UserError, match=r"rngs=\{\"name\": key\}.*no key for stream 'noise'"):
        probes.measure(Draws(), {"params": {}}, IMAGES, LABELS)
