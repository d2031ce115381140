"""Initial kernels: their shape, size, and what a convolution by them does to a norm."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax.traverse_util import flatten_dict

from resnet_jax.errors import UserError
from resnet_jax.models import create, from_settings, initialize
from resnet_jax.models.convolution import convolve
from resnet_jax.models.initializers import INITIALIZERS, delta_orthogonal, he_normal, times

KEY = jax.random.key(0)
SHAPES = [(16, 16), (16, 32), (32, 16)]


def drawn(name: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.array(INITIALIZERS[name](KEY, shape, jnp.float32))


def assert_orthogonal(matrix: np.ndarray, gain: float) -> None:
    """All singular values are the gain, by numpy."""
    values = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(values, gain, rtol=1e-5)


@pytest.mark.parametrize(("channels", "features"), SHAPES)
@pytest.mark.parametrize("size", [1, 3, 7])
def test_delta_orthogonal_is_an_orthogonal_matrix_in_the_centre_and_nothing_else(
    size, channels, features
):
    kernel = drawn("delta_orthogonal", (size, size, channels, features))
    assert_orthogonal(kernel[size // 2, size // 2], gain=np.sqrt(2))
    kernel[size // 2, size // 2] = 0
    assert not kernel.any()


@pytest.mark.parametrize("extent", [8, 2])
@pytest.mark.parametrize("features", [16, 24])
def test_a_delta_orthogonal_convolution_keeps_every_norm(extent, features):
    """Xiao et al. 2018: an isometry, image by image, where features are no fewer than channels."""
    images = jax.random.normal(jax.random.key(1), (5, extent, extent, 16))
    kernel = delta_orthogonal(1.0)(KEY, (3, 3, 16, features), jnp.float32)
    norm = lambda x: np.sqrt(np.sum(np.square(x), axis=(1, 2, 3)))
    np.testing.assert_allclose(norm(convolve(images, kernel)), norm(images), rtol=1e-5)
    other = he_normal(KEY, (3, 3, 16, features), jnp.float32)
    assert not np.allclose(norm(convolve(images, other)), norm(images), rtol=0.05)


def test_fewer_features_keep_the_norm_in_their_span_alone():
    kernel = delta_orthogonal(1.0)(KEY, (3, 3, 16, 4), jnp.float32)
    span = np.asarray(kernel[1, 1])
    images = np.random.default_rng(0).standard_normal((2, 3, 3, 16), np.float32)
    inside = images @ span @ span.T
    norm = lambda x: np.linalg.norm(np.asarray(x).reshape(2, -1), axis=1)
    np.testing.assert_allclose(norm(convolve(inside, kernel)), norm(inside), rtol=1e-5)
    np.testing.assert_allclose(convolve(images - inside, kernel), 0, atol=1e-5)


@pytest.mark.parametrize(("channels", "features"), [(4, 16), (1, 16), (2, 64)])
def test_orthogonal_is_one_matrix_from_the_window_to_the_features(channels, features):
    kernel = drawn("orthogonal", (3, 3, channels, features))
    assert_orthogonal(kernel.reshape(-1, features), gain=np.sqrt(2))


@pytest.mark.parametrize("name", ["he", "orthogonal", "delta_orthogonal"])
def test_the_gain_makes_up_for_a_relu(name):
    """A layer and its ReLU keep the second moment of a normal signal, and sqrt(2) is why."""
    images = jax.random.normal(jax.random.key(1), (8, 16, 16, 64))
    kernel = INITIALIZERS[name](KEY, (3, 3, 64, 64), jnp.float32)
    inner = nn.relu(convolve(images, kernel))[:, 1:-1, 1:-1]
    assert np.mean(np.square(inner)) == pytest.approx(1.0, rel=0.05)


def test_glorot_is_uniform_without_a_gain():
    """Glorot and Bengio 2010, eq. 16."""
    kernel, fans = drawn("glorot", (3, 3, 32, 64)), 9 * 32 + 9 * 64
    assert np.abs(kernel).max() == pytest.approx(np.sqrt(6 / fans), rel=1e-3)
    assert np.var(kernel) == pytest.approx(2 / fans, rel=0.02)


def test_a_factor_multiplies_the_same_draw_and_one_leaves_it():
    shape = (3, 3, 4, 5)
    np.testing.assert_allclose(times(0.5, he_normal)(KEY, shape), 0.5 * he_normal(KEY, shape))
    assert times(1.0, he_normal) is he_normal
    assert not times(0.0, he_normal)(KEY, shape).any()


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_convolution_is_drawn_by_name_and_the_dense_layer_is_not(name):
    def params(**settings):
        model = from_settings((1, 1), widths=(4, 6), shortcut="B", **settings)
        return flatten_dict(initialize(model, KEY, (8, 8, 3))["params"], sep="/")

    default, ours = params(), params(initializer=name)
    changed = {path for path in ours if not np.array_equal(ours[path], default[path])}
    convolutions = {path for path in ours if path.endswith("kernel") and "dense" not in path}
    assert changed == (set() if name == "he" else convolutions)
    if name == "delta_orthogonal":
        for path in convolutions - {"stage2/unit01/shortcut/conv/kernel"}:
            assert not np.asarray(ours[path])[0].any()
            assert_orthogonal(np.asarray(ours[path])[1, 1], gain=np.sqrt(2))


def test_an_unknown_initializer_meets_the_nearest():
    with pytest.raises(UserError, match=r"initializer='delta' is unknown; .*delta_orthogonal"):
        create("resnet20", initializer="delta")
