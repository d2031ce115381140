"""The two forms of the convolution, against scipy and against each other."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from scipy.signal import correlate2d

from resnet_jax.models.convolution import Conv, convolve, smaller_than_kernel, unrolled, windowed
from resnet_jax.models.initializers import he_normal

SMALL = [((1, 1), 3), ((2, 2), 3), ((1, 8), 3), ((4, 2), 3), ((3, 4), 5), ((6, 6), 7)]


def draw(image: tuple[int, int], size: int) -> tuple[jax.Array, jax.Array]:
    images = jax.random.normal(jax.random.key(0), (3, *image, 4))
    return images, jax.random.normal(jax.random.key(1), (size, size, 4, 5))


def by_scipy(images: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """The zero-padded cross-correlation of each channel with its kernel, summed over channels."""
    output = np.zeros((*images.shape[:3], kernel.shape[3]), np.float32)
    for b, c, o in np.ndindex(images.shape[0], *kernel.shape[2:]):
        output[b, ..., o] += correlate2d(images[b, ..., c], kernel[..., c, o], mode="same")
    return output


@pytest.mark.parametrize(("image", "size"), SMALL)
@pytest.mark.parametrize("form", [windowed, unrolled])
def test_both_forms_agree_with_scipy(form, image, size):
    images, kernel = draw(image, size)
    expected = by_scipy(np.asarray(images), np.asarray(kernel))
    np.testing.assert_allclose(form(images, kernel), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("image", "size"), [*SMALL[:-1], pytest.param(*SMALL[-1], marks=pytest.mark.long)]
)
def test_both_forms_have_the_same_gradients(image, size):
    images, kernel = draw(image, size)
    weights = jax.random.normal(jax.random.key(2), (3, *image, 5))

    def gradients(form):
        loss = lambda *given: jnp.sum(weights * form(*given))
        return jax.jit(jax.grad(loss, argnums=(0, 1)))(images, kernel)

    for ours, xla in zip(gradients(unrolled), gradients(windowed), strict=True):
        np.testing.assert_allclose(ours, xla, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("image", "size", "stride", "convolutions"),
    [((2, 2), 3, 1, 0), ((1, 1), 3, 1, 0), ((2, 2), 3, 2, 1), ((4, 4), 3, 1, 1), ((2, 2), 1, 1, 1)],
)
def test_only_images_smaller_than_the_kernel_are_unrolled(image, size, stride, convolutions):
    images, kernel = draw(image, size)
    program = str(jax.make_jaxpr(lambda *given: convolve(*given, stride))(images, kernel))
    assert program.count(lax.conv_general_dilated_p.name + "[") == convolutions


def test_a_long_image_is_not_unrolled_into_a_huge_matrix():
    assert not smaller_than_kernel((1, 1000), 3)


def test_padding_is_even_at_stride_2():
    """PyTorch and the papers pad by one on both sides; "SAME" would see another first pixel."""
    images = jnp.arange(16.0).reshape(1, 4, 4, 1)
    kernel = jnp.zeros((3, 3, 1, 1)).at[0, 0].set(1.0)
    output = windowed(images, kernel, stride=2)[0, ..., 0]
    np.testing.assert_array_equal(output, [[0.0, 0.0], [0.0, 5.0]])


@pytest.mark.parametrize(
    "shape", [(3, 3, 1, 16), (128, 128), (3, 3, 64, 128), (16, 1025), (256, 256)]
)
def test_a_kernel_is_drawn_as_by_linen(shape):
    linen = jax.nn.initializers.variance_scaling(2.0, "fan_in", "normal")
    key = jax.random.key(3)
    np.testing.assert_allclose(he_normal(key, shape), linen(key, shape), rtol=1e-6)


def test_a_kernel_is_as_wide_as_he_s():
    """He et al. 2015b, eq. 10."""
    deviation = np.std(he_normal(jax.random.key(3), (3, 3, 64, 128)))
    assert deviation == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.01)


def test_conv_has_a_kernel_and_no_bias():
    variables = jax.eval_shape(Conv(5).init, jax.random.key(0), jnp.zeros((1, 2, 2, 4)))
    assert jax.tree.map(jnp.shape, variables) == {"params": {"kernel": (3, 3, 4, 5)}}
