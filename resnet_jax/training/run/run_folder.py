"""A run's folder: its config, its environment, its records and its result.

config.json       the full config
environment.json  versions, devices and commit
.lock             who works on it
metrics.jsonl     records, one JSON object a line
checkpoints/      the state, by step
result.json       written last: a folder without it is a run that is not finished
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
except ImportError:  # Windows, where nothing keeps a second process out
    fcntl = None  # type: ignore[assignment]

WHERE_IT_RUNS = ("devices.count", "devices.mapping", "data.workers")
"""Settings that a run may change between its processes: they decide nothing but how sums round."""

SHOWN = 5  # settings in the message about a folder of another run


@dataclass(frozen=True)
class Result:
    """How a run ended.

    Attributes:
      status: `done`, `diverged` (the loss was not finite) or `failed`.
      message: what happened, for a person; empty if the run is done.
      step: number of updates made.
      seconds: `compile` (tracing, lowering and compiling), `train` (all the rest) and `total`; of
        all processes that worked on the run, less what was done after a checkpoint and lost.
      records: a checksum (CRC-32) of metrics.jsonl, by which lost lines are noticed.
      final: `train_error` and `test_error` in percent, `train_loss` and `test_loss`, the loss that
        was trained on (cross-entropy in nats), each over every example of its split; empty unless
        the run is done.
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
        """Where the states are kept."""
        return self.path / "checkpoints"

    def exists(self) -> bool:
        """Whether there is a run here."""
        return (self.path / "config.json").is_file()

    def refuse_other(self, config: ConfigDict) -> None:
        """Checks that the folder holds no other run than this config's, wherever it ran.

        Raises:
          UserError: it does; the message lists the settings that differ.
        """
        if not self.exists():
            return
        held, plain = self.settings(), configs.to_dict(config)
        different = [
            each
            for each in configs.differences(held, plain)
            if each.partition(":")[0] not in WHERE_IT_RUNS
            # With statistics of their own, the devices decide whose examples normalise a batch.
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
        """What differed from the commit in the environment, as a patch, if anything did."""
        return self.path / "changes.diff"

    def claim(self, config: ConfigDict) -> None:
        """Makes the folder that of this config's run, and notes the environment."""
        self.path.mkdir(parents=True, exist_ok=True)
        _write_json(self.path / "config.json", configs.to_dict(config))
        now = environment.environment()
        if self.checkpoints.exists():  # it goes on from what may be of other code
            now["code"] = environment.in_part(self.environment().get("code", {}), now["code"])
        _write_json(self.path / "environment.json", now)
        self.changes.unlink(missing_ok=True)
        if changes := environment.changes():  # a shortcut of one's own, for instance
            self.changes.write_bytes(changes)

    def environment(self) -> dict[str, Any]:
        """What it ran on and with which code; empty if that is not there or cannot be read."""
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
            raise self._damaged("result.json", "it is no result") from None
        if not isinstance(found.final, dict) or not isinstance(found.seconds, dict):
            raise self._damaged("result.json", "it is no result")
        return found

    def finish(self, result: Result) -> Result:
        """Writes the result, which ends the run; an error of an earlier try is forgotten."""
        if result.status != "failed":
            (self.path / "error.txt").unlink(missing_ok=True)
        result = replace(result, records=checksum(self.path))
        _write_json(self.path / "result.json", asdict(result))
        return result

    @contextmanager
    def locked(self, warn: Callable[[str], None]) -> Iterator[None]:
        """Keeps other processes from the folder while the `with` block runs.

        The lock is the operating system's, which takes it back when a process ends, however it
        ends: a dead process leaves none behind.

        Args:
          warn: told if the file system knows no locks.

        Raises:
          InUseError: another process has it.
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
                    f"{self.path} cannot be locked ({error.strerror}): see to it that no second "
                    "process trains into it"
                )
            file.truncate(0)
            file.write(f"process {os.getpid()} of {platform.node()}\n")
            file.flush()
            yield

    def append(self, record: Record) -> None:
        """Adds one record.

        Raises:
          UserError: the disk is full, or the file cannot be written for another reason.
        """
        metrics = self.path / "metrics.jsonl"
        try:
            with open(metrics, "a") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise UserError(
                f"{metrics} cannot be written ({error.strerror}): what was saved before is whole; "
                "make room, and the same command goes on from there"
            ) from error

    def rewind(self, step: int) -> None:
        """Drops the records past a step, which a run that resumes from it will write again."""
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
            raise self._damaged(name, str(error)) from None
        if not isinstance(value, dict):
            raise self._damaged(name, "it is no JSON object")
        return value

    def _damaged(self, name: str, why: str) -> UserError:
        return UserError(f"{self.path / name} is damaged ({why}): remove {self.path}")


class ReadOnlyFolder(RunFolder):
    """The folder as all processes of a job but the first have it: what they write is left out."""

    def claim(self, config: ConfigDict) -> None:
        """Does nothing."""

    def locked(self, warn: Callable[[str], None]) -> Any:
        """Does nothing: the first process has the lock."""
        return nullcontext()

    def finish(self, result: Result) -> Result:
        """Returns the result."""
        return result

    def append(self, record: Record) -> None:
        """Does nothing."""

    def rewind(self, step: int) -> None:
        """Does nothing."""


def _updates(line: str) -> float:
    """The updates after which a record was written; infinite for a line that was cut off.

    A probe measures the network as it was before the update in which it does so, and an evaluation
    comes after the checkpoint of its step: both are made again by a run that resumes from there.
    """
    try:
        record = json.loads(line)
    except ValueError:
        return float("inf")
    return record["step"] + (record.get("kind") in ("probe", "eval"))


def checksum(folder: Path) -> int | None:
    """The CRC-32 of a run's records; None if it has none."""
    metrics = folder / "metrics.jsonl"
    return zlib.crc32(metrics.read_bytes()) if metrics.exists() else None


def _write_json(path: Path, value: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(value, indent=2) + "\n")
