"""Randomness in training: dropout in three places, and stochastic depth."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from made_variables import made_variables

from resnet_jax.errors import UserError
from resnet_jax.models import ResNet, from_settings, initialize
from resnet_jax.models.residual_scaling import Constant
from resnet_jax.models.stochastic_depth import RULES

KEY = jax.random.key(0)
IMAGES = jax.random.normal(jax.random.key(1), (4, 8, 8, 3))


def tiny(**settings) -> ResNet:
    return from_settings(
        **{"stage_sizes": (2, 2), "widths": (4, 6), "normalization": "none"} | settings
    )


def train(model, streams, images=IMAGES):
    variables = initialize(model, KEY, images.shape[1:])
    logits, _ = model.apply(variables, images, train=True, mutable=["batch_stats"], rngs=streams)
    return np.asarray(logits)


@pytest.mark.parametrize(
    "settings",
    [{"dropout": 0.3}, {"unit_dropout": 0.3}, {"shortcut": "dropout"}],
    ids=["in branches", "between units", "on shortcuts"],
)
def test_dropout_is_active_in_training_only(settings):
    model, plain = tiny(**settings), tiny()
    one, other = train(model, {"dropout": KEY}), train(model, {"dropout": jax.random.key(5)})
    assert not np.allclose(one, other)
    np.testing.assert_array_equal(one, train(model, {"dropout": KEY}))
    variables = initialize(model, KEY, (8, 8, 3))
    jax.tree.map(np.testing.assert_array_equal, variables, initialize(plain, KEY, (8, 8, 3)))
    np.testing.assert_array_equal(model.apply(variables, IMAGES), plain.apply(variables, IMAGES))


def test_shortcut_dropout_is_elementwise_and_preserves_the_mean():
    """With the branch off, the unit returns x / (1 - rate) where x is kept, else 0."""
    model = from_settings(
        (1,), widths=(8,), stem="none", shortcut="dropout", shortcut_dropout=0.25,
        branch_scale="constant", branch_constant=0.0, order="preactivation", normalization="none",
    )  # fmt: skip
    images = jnp.ones((8, 16, 16, 8))
    variables = made_variables(model, images.shape[1:])
    apply = partial(model.apply, train=True, mutable=["intermediates"], capture_intermediates=True)
    _, state = jax.jit(apply)(variables, images, rngs={"dropout": KEY})
    dropped = np.asarray(state["intermediates"]["stage1"]["unit01"]["__call__"][0])
    assert set(np.unique(dropped)) == {0.0, np.float32(4 / 3)}
    assert (dropped == 0).mean() == pytest.approx(0.25, abs=0.02)


def test_survival_probability_decays_linearly_to_the_last_unit():
    """Huang et al. 2016, eq. 4 and Fig. 2: 1 at the input, p_L at the last unit."""
    falling = [RULES["linear"](unit, 54, 0.5) for unit in range(1, 55)]
    assert falling[-1] == 0.5
    np.testing.assert_allclose(np.diff(falling), -0.5 / 54)
    # The paper's expected depth of its ResNet-110, section 3: (3 L - 1) / 4 of L = 54 units.
    assert sum(falling) == pytest.approx((3 * 54 - 1) / 4)
    assert RULES["uniform"](7, 54, 0.8) == 0.8


def test_a_branch_is_kept_or_dropped_for_the_whole_batch():
    """One unit has two possible outcomes, with the frequencies of its survival probability."""
    model = from_settings((1,), widths=(4,), normalization="none", survival=0.7)
    variables = initialize(model, KEY, (8, 8, 3))
    apply = jax.jit(lambda key: model.apply(variables, IMAGES, train=True, rngs={"depth": key}))
    full = model.clone(stochastic_depth=None).apply(variables, IMAGES)
    off = model.clone(stochastic_depth=None, branch_scale=Constant(0.0))
    without = off.apply(variables, IMAGES)
    draws = [np.asarray(apply(jax.random.key(seed))) for seed in range(200)]
    kept = [np.allclose(each, full, atol=1e-5) for each in draws]
    dropped = [np.allclose(each, without, atol=1e-5) for each in draws]
    assert all(one != other for one, other in zip(kept, dropped, strict=True))
    assert np.mean(kept) == pytest.approx(0.7, abs=3 * (0.7 * 0.3 / 200) ** 0.5)


def test_in_evaluation_the_branch_is_multiplied_by_its_probability():
    model = from_settings((1,), widths=(4,), normalization="none", survival=0.7)
    scaled = model.clone(stochastic_depth=None, branch_scale=Constant(0.7))
    variables = initialize(model, KEY, (8, 8, 3))
    np.testing.assert_allclose(
        model.apply(variables, IMAGES), scaled.apply(variables, IMAGES), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"survival": 0.0}, "survival=0.0"),
        ({"survival_rule": "uniform"}, "no effect at survival=1"),
        ({"dropout": 1.0}, r"dropout=1.0 is not in \[0, 1\)"),
        ({"gate_bias": -3.0}, "no effect without shortcut='exclusive_gating' or"),
        ({"cardinality": 4}, "no effect without branch='bottleneck'"),
        ({"shortcut_dropout": 0.1}, "no effect without shortcut='dropout'"),
        ({"norm_groups": 4}, "no effect without normalization='group'"),
        ({"kernel_size": 4}, "kernel_size=4 .* odd"),
        ({"branch": "bottleneck", "bottleneck_width": 8}, "leaves no channel in a stage of 4"),
        ({"squeeze": -1}, "squeeze=-1"),
        ({"shortcut": "none", "survival": 0.5}, "survival=0.5 .*shortcut='none'"),
        ({"stride_on": "conv2"}, "no effect without branch='bottleneck'"),
        ({"branch": "single", "dropout": 0.1}, "no effect without branch='basic' or"),
        ({"momentum": 0.5}, "no effect without normalization='batch'"),
        ({"stem": "none", "stem_width": 8}, "no effect without stem='cifar' or"),
        (
            {"branch": "single", "order": "one_norm", "normalization": "batch"},
            "'one_norm'.*branch='single'",
        ),
        ({"zero_init_residual": True, "order": "relu_before_addition"}, "no gradient at zero"),
        ({"branch_scale": "fixup", "order": "relu_before_addition"}, "no gradient at zero"),
    ],
)
def test_invalid_or_ineffective_settings_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        tiny(**settings)
