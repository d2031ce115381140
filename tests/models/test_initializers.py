"""Initial kernels: orthogonality, variance, and the norm of a convolution's output."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from resnet_jax.errors import UserError
from resnet_jax.models import create, from_settings, initialize
from resnet_jax.models.convolution import convolve
from resnet_jax.models.initializers import (
    INITIALIZERS,
    Initializer,
    delta_orthogonal,
    he_normal,
    times,
)

KEY = jax.random.key(0)
ISOMETRY = delta_orthogonal(1.0)


@partial(jax.jit, static_argnums=(0, 1))
def draw(init: Initializer, shape: tuple[int, ...]) -> jax.Array:
    return init(KEY, shape, jnp.float32)


def assert_orthogonal(matrix: np.ndarray, gain: float) -> None:
    """All singular values, by NumPy, are the gain."""
    values = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(values, gain, rtol=1e-5)


@pytest.mark.parametrize(
    ("size", "channels", "features"), [(1, 16, 32), (3, 16, 16), (3, 32, 16), (7, 16, 32)]
)
def test_delta_orthogonal_is_orthogonal_at_the_center_and_zero_elsewhere(size, channels, features):
    kernel = np.array(draw(INITIALIZERS["delta_orthogonal"], (size, size, channels, features)))
    assert_orthogonal(kernel[size // 2, size // 2], gain=np.sqrt(2))
    kernel[size // 2, size // 2] = 0
    assert not kernel.any()


@pytest.mark.parametrize(("extent", "features"), [(8, 16), (2, 24)])
def test_a_delta_orthogonal_convolution_preserves_norms(extent, features):
    """Xiao et al. 2018: an isometry, image by image, where features are no fewer than channels."""
    images = np.random.default_rng(1).standard_normal((5, extent, extent, 16), np.float32)
    kernel = draw(ISOMETRY, (3, 3, 16, features))
    norm = lambda x: np.sqrt(np.sum(np.square(x), axis=(1, 2, 3)))
    np.testing.assert_allclose(norm(convolve(jnp.asarray(images), kernel)), norm(images), rtol=1e-5)
    other = draw(he_normal, (3, 3, 16, features))
    assert not np.allclose(norm(convolve(jnp.asarray(images), other)), norm(images), rtol=0.05)


def test_with_fewer_features_norms_are_preserved_in_the_span_of_the_kernel_only():
    kernel = draw(ISOMETRY, (3, 3, 16, 4))
    span = np.asarray(kernel[1, 1])
    images = np.random.default_rng(0).standard_normal((2, 3, 3, 16), np.float32)
    inside = images @ span @ span.T
    norm = lambda x: np.linalg.norm(np.asarray(x).reshape(2, -1), axis=1)
    np.testing.assert_allclose(norm(convolve(jnp.asarray(inside), kernel)), norm(inside), rtol=1e-5)
    np.testing.assert_allclose(convolve(jnp.asarray(images - inside), kernel), 0, atol=1e-5)


@pytest.mark.parametrize(("channels", "features"), [(4, 16), (1, 16)])
def test_orthogonal_maps_windows_to_features_by_an_orthogonal_matrix(channels, features):
    kernel = draw(INITIALIZERS["orthogonal"], (3, 3, channels, features))
    assert_orthogonal(np.asarray(kernel).reshape(-1, features), gain=np.sqrt(2))


@pytest.mark.parametrize("name", ["he", "orthogonal", "delta_orthogonal"])
def test_the_gain_compensates_for_relu(name):
    """With gain sqrt(2), convolution and ReLU preserve the second moment of a normal signal."""
    images = np.random.default_rng(1).standard_normal((8, 16, 16, 64), np.float32)
    kernel = draw(INITIALIZERS[name], (3, 3, 64, 64))
    inner = np.maximum(convolve(jnp.asarray(images), kernel), 0)[:, 1:-1, 1:-1]
    assert np.mean(np.square(inner)) == pytest.approx(1.0, rel=0.05)


def test_glorot_is_uniform_without_a_gain():
    """Glorot and Bengio 2010, eq. 16."""
    kernel, fans = draw(INITIALIZERS["glorot"], (3, 3, 32, 64)), 9 * 32 + 9 * 64
    assert np.abs(kernel).max() == pytest.approx(np.sqrt(6 / fans), rel=1e-3)
    assert np.var(kernel) == pytest.approx(2 / fans, rel=0.02)


def test_times_multiplies_the_initial_values():
    shape = (3, 3, 4, 5)
    np.testing.assert_allclose(times(0.5, he_normal)(KEY, shape), 0.5 * he_normal(KEY, shape))
    assert times(1.0, he_normal) is he_normal
    assert not times(0.0, he_normal)(KEY, shape).any()


@pytest.fixture(scope="module")
def he_params():
    return params_of()


def params_of(**settings) -> dict[str, jax.Array]:
    model = from_settings((1,), widths=(4,), shortcut="C", **settings)
    return flatten_dict(initialize(model, KEY, (8, 8, 4))["params"], sep="/")


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_setting_initializes_convolutions_and_not_the_dense_layer(he_params, name):
    params = params_of(initializer=name)
    changed = {path for path in params if not np.array_equal(params[path], he_params[path])}
    convolutions = {path for path in params if path.endswith("kernel") and "dense" not in path}
    assert changed == (set() if name == "he" else convolutions)
    if name == "delta_orthogonal":
        for path in convolutions - {"stage1/unit01/shortcut/conv/kernel"}:
            assert not np.asarray(params[path])[0].any()
            assert_orthogonal(np.asarray(params[path])[1, 1], gain=np.sqrt(2))


def test_an_unknown_initializer_is_refused_with_the_nearest_name():
    with pytest.raises(UserError, match=r"'delta'.*delta_orthogonal"):
        create("resnet20", initializer="delta")
