"""A run's folder: its config, its environment, its records and its result.

config.json       the full config
environment.json  versions, devices and commit
changes.diff      uncommitted changes of the code, if any
.lock             the process that works on it
metrics.jsonl     records, one JSON object per line
checkpoints/      training states by step
result.json       written last: a run without it is not finished
"""

import json
import os
import platform
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from resnet_jax.errors import UserError
from resnet_jax.files import write_atomically
from resnet_jax.training import config as configs
from resnet_jax.training.run import environment

Record = dict[str, Any]

try:
    import fcntl
except ImportError:  # Windows, where folders are not locked
    fcntl = None  # type: ignore[assignment]

MAY_CHANGE = ("devices.count", "devices.mapping", "data.workers")
"""Settings that may change when a run is resumed: they affect rounding only."""

SHOWN = 5  # settings in the message about a folder of another run


@dataclass(frozen=True)
class Result:
    """How a run ended.

    Attributes:
      status: `done`, `diverged` (the loss was not finite) or `failed`.
      message: what happened, in one line; empty if the run is done.
      step: number of updates made.
      seconds: `compile` (tracing, lowering and compiling), `train` (the rest) and `total`, summed
        over the processes of the run, without what was lost after a checkpoint.
      final: `train_error` and `test_error` in percent, `train_loss` and `test_loss` (the training
        loss; cross-entropy in nats), each over every example of its split; empty unless done.
      records: checksum (CRC-32) of metrics.jsonl, by which lost lines are noticed.
    """

    status: str
    message: str
    step: int
    seconds: dict[str, float] = field(default_factory=dict)
    final: dict[str, float] = field(default_factory=dict)
    records: int | None = None


class InUseError(UserError):
    """Another process works on the folder."""


class RunFolder:
    """Reads and writes the folder of one run."""

    def __init__(self, path: str | Path):
        self.path = Path(path)

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    def exists(self) -> bool:
        """Whether there is a run here."""
        return (self.path / "config.json").is_file()

    def refuse_other(self, config: ConfigDict) -> None:
        """Refuses a folder with the run of another config, except for settings of `MAY_CHANGE`.

        Raises:
          UserError: it holds one; the message lists the settings that differ.
        """
        if not self.exists():
            return
        held, plain = self.settings(), configs.to_dict(config)
        different = [
            each
            for each in configs.differences(held, plain)
            if each.partition(":")[0] not in MAY_CHANGE
            # With statistics per replica, the number of devices changes those of a batch.
            or (each.startswith("devices.count") and config.devices.batch_stats == "per_replica")
        ]
        if different:
            listed = "; ".join(different[:SHOWN])
            further = f"; and {len(different) - SHOWN} more" if len(different) > SHOWN else ""
            raise UserError(
                f"{self.path} holds a run of another config ({listed}{further}): choose another "
                "--workdir, or remove that folder"
            )

    @property
    def changes(self) -> Path:
        """The patch of uncommitted changes; no such file if there are none."""
        return self.path / "changes.diff"

    def claim(self, config: ConfigDict) -> None:
        """Writes the config and the environment of a run that starts or resumes here."""
        self.path.mkdir(parents=True, exist_ok=True)
        _write_json(self.path / "config.json", configs.to_dict(config))
        now = environment.environment()
        if self.checkpoints.exists():  # resumes a run that may have had other code
            now["code"] = environment.in_part(self.environment().get("code", {}), now["code"])
        _write_json(self.path / "environment.json", now)
        self.changes.unlink(missing_ok=True)
        if changes := environment.changes():
            self.changes.write_bytes(changes)

    def environment(self) -> dict[str, Any]:
        """Versions, devices and code of the run; empty if missing or unreadable."""
        try:
            found = json.loads((self.path / "environment.json").read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def config(self) -> ConfigDict:
        """The run's config.

        Raises:
          UserError: there is no run here, or its config cannot be read.
        """
        return configs.from_dict(self.settings())

    def settings(self) -> dict[str, Any]:
        """The run's config as plain JSON types; one of an older version may lack settings.

        Raises:
          UserError: there is no run here, or its config cannot be read.
        """
        return self._read("config.json")

    def result(self) -> Result | None:
        """How the run ended; None if it has not.

        Raises:
          UserError: the result cannot be read.
        """
        if not (self.path / "result.json").exists():
            return None
        try:
            found = Result(**self._read("result.json"))
        except TypeError:
            raise self._corrupt("result.json", "it is no result") from None
        if not isinstance(found.final, dict) or not isinstance(found.seconds, dict):
            raise self._corrupt("result.json", "it is no result")
        return found

    def finish(self, result: Result) -> Result:
        """Writes the result, which ends the run; returns it with the checksum of the records."""
        if result.status != "failed":
            (self.path / "error.txt").unlink(missing_ok=True)
        result = replace(result, records=checksum(self.path))
        _write_json(self.path / "result.json", asdict(result))
        return result

    @contextmanager
    def locked(self, warn: Callable[[str], None]) -> Iterator[None]:
        """Locks the folder against other processes within the `with` block.

        The operating system releases the lock when the process ends, even if it is killed.

        Args:
          warn: called with a message if the file system has no locks.

        Raises:
          InUseError: another process holds the lock.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / ".lock", "a+") as file:
            try:
                if fcntl:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise InUseError(
                    f"{self.path} is in use by {file.read().strip() or 'another process'}: wait "
                    "for it, or choose another --workdir"
                ) from None
            except OSError as error:
                warn(
                    f"{self.path} cannot be locked ({error.strerror}): make sure that no other "
                    "process trains into it"
                )
            file.truncate(0)
            file.write(f"process {os.getpid()} of {platform.node()}\n")
            file.flush()
            yield

    def append(self, record: Record) -> None:
        """Appends a record.

        Raises:
          UserError: the file cannot be written, for instance because the disk is full.
        """
        metrics = self.path / "metrics.jsonl"
        try:
            with open(metrics, "a") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise UserError(
                f"{metrics} cannot be written ({error.strerror}): make room, and the same command "
                "resumes from the last checkpoint"
            ) from error

    def rewind(self, step: int) -> None:
        """Drops the records after a step, which a run that resumes from it writes again."""
        metrics = self.path / "metrics.jsonl"
        if metrics.exists():
            kept = [line for line in metrics.read_text().splitlines() if _updates(line) <= step]
            write_atomically(metrics, "".join(f"{line}\n" for line in kept))

    def _read(self, name: str) -> dict[str, Any]:
        path = self.path / name
        if not path.exists():
            raise UserError(f"{self.path} holds no run: there is no {name}")
        try:
            value = json.loads(path.read_text())
        except ValueError as error:
            raise self._corrupt(name, str(error)) from None
        if not isinstance(value, dict):
            raise self._corrupt(name, "it is no JSON object")
        return value

    def _corrupt(self, name: str, why: str) -> UserError:
        return UserError(f"{self.path / name} is corrupt ({why}): remove {self.path}")


class ReadOnlyFolder(RunFolder):
    """The folder for all processes of a job but the main one: it writes nothing."""

    def claim(self, config: ConfigDict) -> None:
        pass

    def locked(self, warn: Callable[[str], None]) -> Any:
        return nullcontext()

    def finish(self, result: Result) -> Result:
        return result

    def append(self, record: Record) -> None:
        pass

    def rewind(self, step: int) -> None:
        pass


def _updates(line: str) -> float:
    """The updates up to which a record is kept by `rewind`; infinite for an incomplete line.

    A probe measures before the update of its step, and an evaluation comes after the checkpoint of
    its step: a run that resumes from that step repeats both.
    """
    try:
        record = json.loads(line)
    except ValueError:
        return float("inf")
    return record["step"] + (record.get("kind") in ("probe", "eval"))


def checksum(folder: Path) -> int | None:
    """The CRC-32 of a run's metrics.jsonl; None if there is none."""
    metrics = folder / "metrics.jsonl"
    return zlib.crc32(metrics.read_bytes()) if metrics.exists() else None


def _write_json(path: Path, value: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(value, indent=2) + "\n")
