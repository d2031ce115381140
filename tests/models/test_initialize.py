"""Initial values: those of Linen's own `init`, for less work."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from resnet_jax.models import create, from_settings, initialize

TINY = {"stage_sizes": (1, 2), "widths": (4, 6)}
CASES = [
    {"shortcut": "A"},
    {"shortcut": "B", "branch": "bottleneck", "order": "preactivation", "zero_init_residual": True},
    {"shortcut": "C", "normalization": "none", "dtype": "bfloat16"},
    {"shortcut": "scaled", "initializer": "delta_orthogonal", "branch_scale": "skipinit"},
    {"shortcut": "B", "normalization": "none", "initializer": "glorot", "branch_scale": "fixup"},
]


def assert_same(ours, theirs):
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)


def dtypes(variables):
    return jax.tree.map(lambda leaf: leaf.dtype, variables)


@pytest.mark.parametrize("settings", CASES)
def test_variables_are_those_of_init_bit_by_bit(settings):
    model, key = from_settings(**TINY, **settings), jax.random.key(7)
    ours = initialize(model, key, (8, 8, 3))
    theirs = model.init(key, jnp.zeros((1, 8, 8, 3)))
    assert_same(ours, theirs)
    assert dtypes(ours) == dtypes(theirs)


def test_other_kinds_of_key_are_taken():
    model = from_settings(**TINY)
    assert_same(
        initialize(model, jax.random.PRNGKey(7), (8, 8, 3)),
        initialize(model, jax.random.key(7), (8, 8, 3)),
    )


def test_a_deeper_network_compiles_nothing_further():
    compiled = []
    listen = lambda event, duration, **_: compiled.append(event)
    initialize(create("resnet14"), jax.random.key(0), (8, 8, 1))
    jax.monitoring.register_event_duration_secs_listener(listen)
    initialize(create("resnet32"), jax.random.key(1), (8, 8, 1))
    assert not [event for event in compiled if event.endswith("backend_compile_duration")]
    jax.jit(lambda x: x + 41)(0)
    assert [event for event in compiled if event.endswith("backend_compile_duration")]


def test_keys_differ_and_parameters_of_one_shape_differ():
    model = create("resnet14")
    params = initialize(model, jax.random.key(0), (8, 8, 1))["params"]
    others = initialize(model, jax.random.key(1), (8, 8, 1))["params"]
    first, second = (params["stage1"][unit]["conv1"]["kernel"] for unit in ("unit01", "unit02"))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, others["stage1"]["unit01"]["conv1"]["kernel"])
