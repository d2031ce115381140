"""Where prepared sets lie: `<root>/<name>[/<config>]/<version>`, as TFDS lays them out."""

import dataclasses
import os
import re
from pathlib import Path

from resnet_jax.errors import UserError
from resnet_jax.files import user_cache

_NAME = re.compile(r"(?P<name>[\w-]+)(/(?P<config>[\w.-]+))?(:(?P<version>[\w.]+))?")
_VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclasses.dataclass(frozen=True)
class SetName:
    """A set as TFDS names it, `name/config:version`; the last two may be left out."""

    name: str
    config: str | None
    version: str | None

    @classmethod
    def parse(cls, text: str) -> "SetName":
        """Takes `name/config:version` apart.

        Raises:
          UserError: the text is not of that form.
        """
        match = _NAME.fullmatch(text)
        if match is None:
            raise UserError(f"{text!r} names no set: write NAME, NAME:1.0.0 or NAME/CONFIG:1.0.0")
        return cls(match["name"], match["config"], match["version"])


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A set that lies in a folder, ready to be read.

    Attributes:
      name: the name by which it was asked for.
      folder: where its files are.
      data_dir: the folder of sets that was given, or "" for the usual one.
    """

    name: str
    folder: Path
    data_dir: str = ""

    @property
    def again(self) -> str:
        """What to do if its files are damaged: a clause to end a message with."""
        return f"remove that folder and run `{prepare_command(self.name, self.data_dir)}`"


def prepare_command(name: str, data_dir: str = "") -> str:
    """The command that prepares a set."""
    return f"resnet-jax data prepare {name}" + (f" --data-dir={data_dir}" if data_dir else "")


def tfds_root(data_dir: str = "") -> Path:
    """The folder given, or else TFDS's own: `$TFDS_DATA_DIR` or `~/tensorflow_datasets`."""
    usual = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    return Path(data_dir or usual).expanduser()


def cache_root(data_dir: str = "") -> Path:
    """The folder given, or else `data` in the package's cache, for what it prepares by itself."""
    return Path(data_dir).expanduser() if data_dir else user_cache() / "data"


def find(wanted: SetName, root: Path) -> Path | None:
    """The folder of a prepared set, of the newest version if none is named; None if there is none.

    Raises:
      UserError: other versions are prepared but not the one named, or several configs are prepared
        and none is named.
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
    """The folder that holds the versions: the set's own, or that of one config of it."""
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
