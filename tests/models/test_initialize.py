"""`initialize` returns the variables of Linen's `init`."""

import jax
import jax.extend.core
import jax.numpy as jnp
import numpy as np
import pytest

from resnet_jax.models import from_settings, initialize

TINY = {"stage_sizes": (2,), "widths": (4,)}
CASES = [
    {"shortcut": "A"},
    {"shortcut": "B", "branch": "bottleneck", "order": "preactivation", "zero_init_residual": True},
    {"shortcut": "C", "normalization": "none", "dtype": "bfloat16"},
    {"shortcut": "scaled", "initializer": "delta_orthogonal", "branch_scale": "skipinit"},
    {"shortcut": "C", "normalization": "none", "initializer": "glorot", "branch_scale": "fixup"},
]


def assert_same(actual, expected):
    jax.tree.map(np.testing.assert_array_equal, actual, expected)


def dtypes(variables):
    return jax.tree.map(lambda leaf: leaf.dtype, variables)


@pytest.mark.parametrize("settings", CASES)
def test_variables_are_bitwise_those_of_init(settings):
    model, key = from_settings(**TINY, **settings), jax.random.key(7)
    variables = initialize(model, key, (8, 8, 3))
    expected = model.init(key, jnp.zeros((1, 8, 8, 3)))
    assert_same(variables, expected)
    assert dtypes(variables) == dtypes(expected)


def test_variables_are_the_same_if_jaxprs_cannot_be_evaluated(monkeypatch):
    """Falls back to `init` on a JAX with another interface to jaxprs."""
    model, key = from_settings(**TINY), jax.random.key(7)
    expected = initialize(model, key, (8, 8, 3))
    monkeypatch.delattr(jax.extend.core, "jaxpr_as_fun")
    assert_same(initialize(model, key, (8, 8, 3)), expected)


def test_accepts_legacy_keys():
    model = from_settings(**TINY)
    assert_same(
        initialize(model, jax.random.PRNGKey(7), (8, 8, 3)),
        initialize(model, jax.random.key(7), (8, 8, 3)),
    )


def test_a_deeper_network_needs_no_further_compilation():
    compiled = []
    listen = lambda event, duration, **_: compiled.append(event)
    initialize(from_settings((1, 2), widths=(4, 6)), jax.random.key(0), (8, 8, 3))
    jax.monitoring.register_event_duration_secs_listener(listen)
    initialize(from_settings((2, 3), widths=(4, 6)), jax.random.key(1), (8, 8, 3))
    assert not [event for event in compiled if event.endswith("backend_compile_duration")]
    jax.jit(lambda x: x + 41)(0)
    assert [event for event in compiled if event.endswith("backend_compile_duration")]


def test_values_depend_on_the_key_and_on_the_path():
    model = from_settings(**TINY)
    params = initialize(model, jax.random.key(0), (8, 8, 3))["params"]
    others = initialize(model, jax.random.key(1), (8, 8, 3))["params"]
    first, second = (params["stage1"][unit]["conv1"]["kernel"] for unit in ("unit01", "unit02"))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, others["stage1"]["unit01"]["conv1"]["kernel"])
