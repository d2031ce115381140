"""Convolutions: bias-free, padded alike on both sides, He-initialised.

`Conv` is the one convolution of the package. On images smaller than its kernel, such as the 2x2
maps in which an 8x8 digit ends, it turns into a matrix product: XLA's CPU backend takes about ten
times as long for such a convolution, and longer still for its gradient.
"""

import jax.numpy as jnp
from flax import linen as nn
from jax import Array, lax
from jaxtyping import DTypeLike, Float

from resnet_jax.models.initializers import Initializer, he_normal


class Conv(nn.Module):
    """A square convolution without bias, zero-padded by (size - 1) // 2 on every side.

    The padding is that of the papers and of PyTorch. ("SAME" pads unevenly at stride 2.)

    Attributes:
      features: channels of the output.
      size: height and width of the kernel, odd.
      stride: step of the window along height and width.
      groups: parts of the channels, each of which makes its part of the features by itself.
      kernel_init: initialiser of the float32 kernel, of shape (size, size, channels / groups,
        features).
      dtype: type of the computation and of the output.
    """

    features: int
    size: int = 3
    stride: int = 1
    groups: int = 1
    kernel_init: Initializer = he_normal
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, images: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """Convolves a batch; p = ceil(h / stride), q = ceil(w / stride)."""
        shape = (self.size, self.size, images.shape[-1] // self.groups, self.features)
        kernel = self.param("kernel", self.kernel_init, shape, jnp.float32)
        images, kernel = images.astype(self.dtype), kernel.astype(self.dtype)
        return convolve(images, kernel, self.stride, self.groups)


def convolve(
    images: Float[Array, "b h w c"],
    kernel: Float[Array, "k k i o"],
    stride: int = 1,
    groups: int = 1,
) -> Float[Array, "b p q o"]:
    """The convolution by whichever form is faster: sliding a window, or one matrix product.

    A kernel of so many groups has i = c / groups channels.
    """
    if stride == groups == 1 and smaller_than_kernel(images.shape[1:3], kernel.shape[0]):
        return unrolled(images, kernel)
    return windowed(images, kernel, stride, groups)


def smaller_than_kernel(image: tuple[int, ...], size: int) -> bool:
    """Whether a kernel reaches past both edges of an image, which has no more pixels than it."""
    return min(image) < size and image[0] * image[1] <= size * size


def windowed(
    images: Float[Array, "b h w c"],
    kernel: Float[Array, "k k i o"],
    stride: int = 1,
    groups: int = 1,
) -> Float[Array, "b p q o"]:
    """The convolution as XLA's own operation."""
    margin = (kernel.shape[0] - 1) // 2
    return lax.conv_general_dilated(
        images,
        kernel,
        window_strides=(stride, stride),
        padding=((margin, margin), (margin, margin)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


def unrolled(
    images: Float[Array, "b h w c"], kernel: Float[Array, "k k c o"]
) -> Float[Array, "b h w o"]:
    """The stride-1 convolution as a product with the matrix that it is.

    Entry (i, j, c), (p, q, o) of that matrix is kernel[m + i - p, m + j - q, c, o], with the margin
    m = (k - 1) // 2, and zero where that lies outside of the kernel. The columns of one output
    pixel (p, q) are therefore a window of the kernel: slices and one concatenation, which XLA
    transposes into a gradient as fast as the product's own.
    """
    batch, height, width, _ = images.shape
    size, features = kernel.shape[0], kernel.shape[-1]
    margin = (size - 1) // 2
    # Output pixels far from the first one look beyond the kernel's edge by so much.
    rows, columns = (max(0, extent - 1 - margin) for extent in (height, width))
    kernel = jnp.pad(kernel, ((rows, rows), (columns, columns), (0, 0), (0, 0)))
    windows = [
        kernel[top : top + height, left : left + width].reshape(-1, features)
        for top in range(rows + margin, rows + margin - height, -1)
        for left in range(columns + margin, columns + margin - width, -1)
    ]
    matrix = jnp.concatenate(windows, axis=1)
    return (images.reshape(batch, -1) @ matrix).reshape(batch, height, width, features)
