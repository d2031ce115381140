"""The data sets known by name: their shapes, sizes and classes. Importing it is cheap."""

import dataclasses
import difflib

from resnet_jax.errors import UserError, did_you_mean


@dataclasses.dataclass(frozen=True)
class SetInfo:
    """Shape and sizes of a data set.

    Attributes:
      image_shape: (height, width, channels); height and width are 0 if they differ between images.
      num_classes: labels are 0 to `num_classes - 1`.
      num_train: examples in the training split.
      num_test: examples in the split used for testing.
      content: what the images show.
    """

    image_shape: tuple[int, int, int]
    num_classes: int
    num_train: int
    num_test: int
    content: str = ""

    def describe(self) -> str:
        """One line: sizes, shape, content and classes."""
        height, width, channels = self.image_shape
        color = "gray" if channels == 1 else "color"
        size = f"{height}x{width}" if height else "variable-size"
        hint = "" if height else "; set data.image_size"
        return (
            f"{self.num_train:,} + {self.num_test:,} {color} {size} {self.content}, "
            f"{self.num_classes:,} classes{hint}"
        )


DIGITS, SYNTHETIC = "digits", "synthetic"

CATALOG = {
    DIGITS: SetInfo((8, 8, 1), 10, 1_437, 360, "handwritten digits"),
    "cifar10": SetInfo((32, 32, 3), 10, 50_000, 10_000, "photographs"),
    "cifar100": SetInfo((32, 32, 3), 100, 50_000, 10_000, "photographs"),
    "mnist": SetInfo((28, 28, 1), 10, 60_000, 10_000, "handwritten digits"),
    "fashion_mnist": SetInfo((28, 28, 1), 10, 60_000, 10_000, "articles of clothing"),
    "svhn_cropped": SetInfo((32, 32, 3), 10, 73_257, 26_032, "house numbers"),
    "imagenette": SetInfo((0, 0, 3), 10, 9_469, 3_925, "photographs of easy ImageNet classes"),
    "imagenet2012": SetInfo((0, 0, 3), 1_000, 1_281_167, 50_000, "photographs"),
}

DESCRIPTIONS = {
    DIGITS: CATALOG[DIGITS].describe() + "; built in",
    SYNTHETIC: "noisy patterns of any shape and size, for benchmarks and tests; built in",
    **{name: info.describe() for name, info in CATALOG.items() if name != DIGITS},
}
"""The sets known by name, with one line on each: `resnet-jax data list`."""


def require_known(name: str) -> None:
    """Checks that a data set exists, whether or not it is prepared.

    Args:
      name: its name, without config and version.

    Raises:
      UserError: neither this package nor TFDS has a set of that name.
    """
    if name in DESCRIPTIONS:
        return
    import tensorflow_datasets as tfds

    builders = tfds.list_builders(with_community_datasets=False)
    if name not in builders:
        near = difflib.get_close_matches(name, builders)
        known = dict.fromkeys([*DESCRIPTIONS, *near])
        raise UserError(f"there is no data set {name!r}: {did_you_mean(name, known)}")
