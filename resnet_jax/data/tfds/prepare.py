"""Preparing sets: downloading them and writing the files that are then read ever after."""

import importlib.util
from pathlib import Path

from resnet_jax.data import digits, synthetic
from resnet_jax.data.tfds import folders
from resnet_jax.data.tfds.catalog import check_exists
from resnet_jax.data.tfds.folders import Prepared, SetName, prepare_command
from resnet_jax.errors import UserError


def prepare(name: str, data_dir: str = "") -> Path:
    """Prepares a set, if it is not prepared yet.

    Args:
      name: the set, as TFDS writes it: `name`, `name:version` or `name/config:version`.
      data_dir: the folder of prepared sets; "" for the usual one.

    Returns:
      The folder in which the set lies.

    Raises:
      UserError: there is no such set, TensorFlow is not installed and the set needs it, or its
        files could not be downloaded.
    """
    wanted = SetName.parse(name)
    if wanted.name == synthetic.NAME:
        raise UserError("'synthetic' is made when it is loaded: there is nothing to prepare")
    if wanted.name == digits.NAME:
        return locate(name, data_dir).folder
    if folder := folders.find(wanted, folders.tfds_root(data_dir)):
        return folder
    check_exists(wanted.name)
    return _prepare_by_tfds(name, data_dir)


def locate(name: str, data_dir: str = "") -> Prepared:
    """Finds a prepared set; the digits are prepared first if need be.

    Args:
      name: the set, as for `prepare`.
      data_dir: the folder of prepared sets; "" for the usual one.

    Raises:
      UserError: there is no such set, or it is not prepared.
    """
    wanted = SetName.parse(name)
    root = folders.tfds_root(data_dir)
    if wanted.name == digits.NAME:
        root = folders.cache_root(data_dir)
        digits.ensure(root)
    if folder := folders.find(wanted, root):
        return Prepared(name, folder, data_dir)
    check_exists(wanted.name)
    raise UserError(
        f"the set {name!r} is not in {root}: prepare it, once, by `pip install -e "
        f"'.[prepare]'` and `{prepare_command(name, data_dir)}`"
    )


def _prepare_by_tfds(name: str, data_dir: str) -> Path:
    if importlib.util.find_spec("tensorflow") is None:
        raise UserError(
            f"preparing {name!r} takes TensorFlow, once: run `pip install -e '.[prepare]'` "
            f"and then `{prepare_command(name, data_dir)}`"
        )
    import tensorflow_datasets as tfds

    root = folders.tfds_root(data_dir)
    try:
        builder = tfds.builder(name, data_dir=root, file_format="array_record")
        builder.download_and_prepare()
    except Exception as error:
        # A download can fail in as many ways as there are sites; TFDS's own words say how.
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{name!r} could not be prepared in {root}: {reason}") from error
    return Path(builder.data_dir)
