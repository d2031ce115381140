"""The two forms of the convolution agree with SciPy and with each other."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from scipy.signal import correlate2d

from resnet_jax.models.convolution import Conv, convolve, smaller_than_kernel, unrolled, windowed
from resnet_jax.models.initializers import he_normal

FORMS = (windowed, unrolled)
SMALL = [((1, 1), 3), ((2, 2), 3), ((1, 8), 3), ((4, 2), 3), ((3, 4), 5), ((6, 6), 7)]


def draw(image: tuple[int, int], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of 4 channels and a kernel of 5 features."""
    normal = np.random.default_rng(0).standard_normal
    return normal((3, *image, 4), np.float32), normal((size, size, 4, 5), np.float32)


@cache
def outputs_and_gradients(image: tuple[int, int], size: int):
    """For both forms: the output, and gradients of a weighted sum of it by images and kernel."""
    images, kernel = draw(image, size)
    weights = np.random.default_rng(1).standard_normal((3, *image, 5), np.float32)

    def compute(form, images, kernel):
        output, pull = jax.vjp(form, images, kernel)
        return output, pull(jnp.asarray(weights))

    both = jax.jit(lambda *given: [compute(form, *given) for form in FORMS])
    return both(images, kernel)


def by_scipy(images: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The zero-padded cross-correlation of each channel with its kernel, summed over channels."""
    output = np.zeros((*images.shape[:3], kernel.shape[3]), np.float32)
    for b, c, o in np.ndindex(images.shape[0], *kernel.shape[2:]):
        output[b, ..., o] += correlate2d(images[b, ..., c], kernel[..., c, o], mode="same")
    return output


@pytest.mark.parametrize(("image", "size"), SMALL)
def test_both_forms_agree_with_scipy(image, size):
    expected = by_scipy(*draw(image, size))
    for output, _ in outputs_and_gradients(image, size):
        np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("image", "size"), SMALL)
def test_both_forms_have_the_same_gradients(image, size):
    (_, expected), (_, gradients) = outputs_and_gradients(image, size)
    for actual, desired in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(actual, desired, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("image", "size", "stride", "convolutions"),
    [((2, 2), 3, 1, 0), ((1, 1), 3, 1, 0), ((2, 2), 3, 2, 1), ((4, 4), 3, 1, 1), ((2, 2), 1, 1, 1)],
)
def test_only_images_smaller_than_the_kernel_are_unrolled(image, size, stride, convolutions):
    images, kernel = draw(image, size)
    program = str(jax.make_jaxpr(lambda *given: convolve(*given, stride))(images, kernel))
    assert program.count(lax.conv_general_dilated_p.name + "[") == convolutions


def test_a_long_narrow_image_is_not_unrolled():
    assert not smaller_than_kernel((1, 1000), 3)


def test_padding_is_even_at_stride_2():
    """PyTorch and the papers pad by one on both sides; "SAME" pads on one side only."""
    images = jnp.arange(16.0).reshape(1, 4, 4, 1)
    kernel = jnp.zeros((3, 3, 1, 1)).at[0, 0].set(1.0)
    output = windowed(images, kernel, stride=2)[0, ..., 0]
    np.testing.assert_array_equal(output, [[0.0, 0.0], [0.0, 5.0]])


@pytest.mark.parametrize("shape", [(3, 3, 1, 16), (128, 128)])
def test_he_normal_is_variance_scaling_by_fan_in(shape):
    linen = jax.nn.initializers.variance_scaling(2.0, "fan_in", "normal")
    key = jax.random.key(3)
    np.testing.assert_allclose(he_normal(key, shape), linen(key, shape), rtol=1e-6)


def test_he_normal_has_the_standard_deviation_of_the_paper():
    """He et al. 2015b, eq. 10."""
    deviation = np.std(he_normal(jax.random.key(3), (3, 3, 64, 128)))
    assert deviation == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.01)


def test_conv_has_a_kernel_and_no_bias():
    variables = jax.eval_shape(Conv(5).init, jax.random.key(0), jnp.zeros((1, 2, 2, 4)))
    assert jax.tree.map(jnp.shape, variables) == {"params": {"kernel": (3, 3, 4, 5)}}
