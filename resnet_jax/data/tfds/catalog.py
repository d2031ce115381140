"""The sets that `data.name` takes, and what to say of a name that is none of them."""

import difflib

from resnet_jax.errors import UserError, did_you_mean

CATALOG = {
    "digits": "1,437 + 360 grey 8x8 handwritten digits, 10 classes; comes with the package",
    "synthetic": "made-up patterns in noise, of any shape and size; for benchmarks and tests",
    "cifar10": "50,000 + 10,000 colour 32x32 photographs, 10 classes",
    "cifar100": "50,000 + 10,000 colour 32x32 photographs, 100 classes",
    "mnist": "60,000 + 10,000 grey 28x28 handwritten digits, 10 classes",
    "fashion_mnist": "60,000 + 10,000 grey 28x28 articles of clothing, 10 classes",
    "svhn_cropped": "73,257 + 26,032 colour 32x32 house numbers, 10 classes",
    "imagenette": "9,469 + 3,925 photographs of 10 easy classes of ImageNet; set data.image_size",
    "imagenet2012": "1,281,167 + 50,000 photographs, 1,000 classes; set data.image_size",
}


def check_exists(name: str) -> None:
    """Checks that a set exists, prepared or not.

    Args:
      name: its name, without config and version.

    Raises:
      UserError: neither this package nor TFDS has a set of that name.
    """
    if name in CATALOG:
        return
    import tensorflow_datasets as tfds

    theirs = tfds.list_builders(with_community_datasets=False)
    if name not in theirs:
        near = difflib.get_close_matches(name, theirs)
        raise UserError(
            f"there is no set {name!r}: {did_you_mean(name, {**CATALOG, **dict.fromkeys(near)})}"
        )
