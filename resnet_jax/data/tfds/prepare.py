"""Where prepared sets lie, `<root>/<name>[/<config>]/<version>` as in TFDS, and preparing them."""

import dataclasses
import importlib.util
import os
import re
from pathlib import Path

from resnet_jax.data.catalog import DIGITS, SYNTHETIC, require_known
from resnet_jax.errors import UserError

_NAME = re.compile(r"(?P<name>[\w-]+)(/(?P<config>[\w.-]+))?(:(?P<version>[\w.]+))?")
_VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclasses.dataclass(frozen=True)
class SetName:
    """The name of a TFDS set, `name/config:version`; config and version are optional."""

    name: str
    config: str | None
    version: str | None

    @classmethod
    def parse(cls, text: str) -> "SetName":
        """Parses `name/config:version`.

        Raises:
          UserError: the text is not of that form.
        """
        match = _NAME.fullmatch(text)
        if match is None:
            raise UserError(
                f"{text!r} is not the name of a data set: write NAME, NAME:1.0.0 or "
                "NAME/CONFIG:1.0.0"
            )
        return cls(match["name"], match["config"], match["version"])


@dataclasses.dataclass(frozen=True)
class PreparedSet:
    """A prepared set on disk.

    Attributes:
      name: the name by which it was requested.
      folder: the folder of its files.
      data_dir: the folder of sets that was given, or "" for the default.
    """

    name: str
    folder: Path
    data_dir: str = ""

    def __str__(self) -> str:
        return f"{self.name!r} in {self.folder}"

    @property
    def remedy(self) -> str:
        """What to do if its files are corrupt: the last clause of a message."""
        return f"remove that folder and run `{prepare_command(self.name, self.data_dir)}`"


def prepare_command(name: str, data_dir: str = "") -> str:
    """The command that prepares a set."""
    return f"resnet-jax data prepare {name}" + (f" --data-dir={data_dir}" if data_dir else "")


def prepare(name: str, data_dir: str = "") -> Path | None:
    """Prepares a set unless it is prepared already.

    Args:
      name: the set, as in TFDS: `name`, `name:version` or `name/config:version`.
      data_dir: the folder of prepared sets; "" for TFDS's default.

    Returns:
      The folder of the set; None for the digits, which are built in.

    Raises:
      UserError: there is no such set, it needs TensorFlow, which is not installed, or its download
        failed.
    """
    wanted = SetName.parse(name)
    if wanted.name == SYNTHETIC:
        raise UserError(f"{SYNTHETIC!r} is generated when it is loaded: nothing to prepare")
    if wanted.name == DIGITS:
        return None
    if folder := find(wanted, tfds_root(data_dir)):
        return folder
    require_known(wanted.name)
    return _prepare_by_tfds(name, data_dir)


def locate(name: str, data_dir: str = "") -> PreparedSet:
    """Finds a prepared set.

    Args:
      name: the set, as for `prepare`.
      data_dir: the folder of prepared sets; "" for TFDS's default.

    Raises:
      UserError: there is no such set, or it is not prepared.
    """
    wanted = SetName.parse(name)
    root = tfds_root(data_dir)
    if folder := find(wanted, root):
        return PreparedSet(name, folder, data_dir)
    require_known(wanted.name)
    if wanted.name in (DIGITS, SYNTHETIC):
        raise UserError(f"{name!r}: {wanted.name} is built in and has no versions or configs")
    raise UserError(
        f"the data set {name!r} is not in {root}: prepare it once by `pip install -e "
        f"'.[prepare]'` and `{prepare_command(name, data_dir)}`"
    )


def tfds_root(data_dir: str = "") -> Path:
    """The folder given, or else TFDS's default: `$TFDS_DATA_DIR` or `~/tensorflow_datasets`."""
    default = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    return Path(data_dir or default).expanduser()


def find(wanted: SetName, root: Path) -> Path | None:
    """The folder of a prepared set, by default of its newest version; None if there is none.

    Raises:
      UserError: the requested version is not prepared but others are, or several configs are
        prepared and none is named.
    """
    folder = _config_folder(wanted, root / wanted.name)
    versions = _versions(folder)
    if not versions:
        return None
    if wanted.version and wanted.version not in versions:
        raise UserError(
            f"version {wanted.version} of {wanted.name!r} is not in {folder}; "
            f"prepared there: {', '.join(versions)}"
        )
    return folder / (wanted.version or versions[-1])


def _config_folder(wanted: SetName, folder: Path) -> Path:
    """The folder that holds the versions: that of the set, or of one of its configs."""
    if wanted.config:
        return folder / wanted.config
    configs = sorted(f.name for f in _folders(folder) if _versions(f))
    if _versions(folder) or not configs:
        return folder
    if len(configs) > 1:
        choices = " or ".join(f"{wanted.name}/{config}" for config in configs)
        raise UserError(f"{wanted.name!r} is prepared in several configs; name one: {choices}")
    return folder / configs[0]


def _versions(folder: Path) -> list[str]:
    """The versions prepared in a folder, oldest first."""
    names = [f.name for f in _folders(folder) if _VERSION.fullmatch(f.name)]
    return sorted(names, key=lambda version: tuple(map(int, version.split("."))))


def _folders(folder: Path) -> list[Path]:
    return [f for f in folder.iterdir() if f.is_dir()] if folder.is_dir() else []


def _prepare_by_tfds(name: str, data_dir: str) -> Path:
    if importlib.util.find_spec("tensorflow") is None:
        raise UserError(
            f"preparing {name!r} requires TensorFlow, once: run `pip install -e '.[prepare]'` "
            f"and then `{prepare_command(name, data_dir)}`"
        )
    import tensorflow_datasets as tfds

    root = tfds_root(data_dir)
    try:
        builder = tfds.builder(name, data_dir=root, file_format="array_record")
        builder.download_and_prepare()
    except Exception as error:  # downloads fail in as many ways as there are sites
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{name!r} could not be prepared in {root}: {reason}") from error
    return Path(builder.data_dir)
