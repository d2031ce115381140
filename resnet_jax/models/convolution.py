"""The convolution of all networks here: no bias, symmetric padding, He initialization.

On images smaller than its kernel, such as the 2x2 feature maps of 8x8 digits, it is computed as a
matrix product: XLA's CPU backend takes about ten times as long for such a convolution, and longer
still for its gradient.
"""

import jax.numpy as jnp
from flax import linen as nn
from jax import Array, lax
from jaxtyping import DTypeLike, Float

from resnet_jax.models.initializers import Initializer, he_normal


class Conv(nn.Module):
    """A square convolution without bias, zero-padded by (size - 1) // 2 on every side.

    This is the padding of the papers and of PyTorch; "SAME" pads unevenly at stride 2.

    Attributes:
      features: output channels.
      size: kernel size, odd.
      stride: stride along height and width.
      groups: number of channel groups that are convolved separately.
      kernel_init: initializer of the float32 kernel, of shape (size, size, channels / groups,
        features).
      dtype: dtype of the computation and of the output.
    """

    features: int
    size: int = 3
    stride: int = 1
    groups: int = 1
    kernel_init: Initializer = he_normal
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, images: Float[Array, "b h w c"]) -> Float[Array, "b p q o"]:
        """Convolves images; p = ceil(h / stride), q = ceil(w / stride)."""
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
    """Convolves images by the faster of `windowed` and `unrolled`; i = c / groups."""
    if stride == groups == 1 and smaller_than_kernel(images.shape[1:3], kernel.shape[0]):
        return unrolled(images, kernel)
    return windowed(images, kernel, stride, groups)


def smaller_than_kernel(image: tuple[int, ...], size: int) -> bool:
    """Whether a kernel is larger than an image in height or width, and not smaller in area."""
    return min(image) < size and image[0] * image[1] <= size * size


def windowed(
    images: Float[Array, "b h w c"],
    kernel: Float[Array, "k k i o"],
    stride: int = 1,
    groups: int = 1,
) -> Float[Array, "b p q o"]:
    """The convolution as XLA's operation."""
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
    """The stride-1 convolution as a matrix product.

    Entry (i, j, c), (p, q, o) of the matrix is kernel[m + i - p, m + j - q, c, o] with the margin
    m = (k - 1) // 2, and zero outside the kernel. The columns of one output pixel (p, q) are
    therefore a window of the padded kernel, so the matrix is built from slices and one
    concatenation, whose gradient is as fast as that of the product.
    """
    batch, height, width, _ = images.shape
    size, features = kernel.shape[0], kernel.shape[-1]
    margin = (size - 1) // 2
    # How far the windows of the outermost output pixels extend beyond the kernel.
    rows, columns = (max(0, extent - 1 - margin) for extent in (height, width))
    kernel = jnp.pad(kernel, ((rows, rows), (columns, columns), (0, 0), (0, 0)))
    windows = [
        kernel[top : top + height, left : left + width].reshape(-1, features)
        for top in range(rows + margin, rows + margin - height, -1)
        for left in range(columns + margin, columns + margin - width, -1)
    ]
    matrix = jnp.concatenate(windows, axis=1)
    return (images.reshape(batch, -1) @ matrix).reshape(batch, height, width, features)
