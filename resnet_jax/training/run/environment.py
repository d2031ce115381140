"""The environment of a run: versions, devices, commit and digests of the code."""

import functools
import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import resnet_jax
from resnet_jax import renamed

PACKAGES = ("resnet_jax", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")
PACKAGE = Path(resnet_jax.__file__).parent
COMPUTING = (
    *("models/**", "data/**", "training/**", "probes/**", "lab/studies/**", "lab/statistics"),
    *("lab/analysis/growth", "lab/design/study"),
)
"""The files of this package that determine the numbers of a run."""


def environment() -> dict[str, Any]:
    """Versions, devices, commit, code and time, as plain JSON types."""
    import jax  # what reads the results of runs does without it

    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in PACKAGES},
        "devices": [device.device_kind for device in jax.devices()],
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "commit": commit(),
        "code": code(),
        "command": " ".join(sys.argv),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def processor() -> str:
    """The processor's model; empty where the system does not say it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def commit() -> str:
    """The commit of this package's checkout, with `+changes` if files differ; empty if none."""
    if not _is_checkout():
        return ""
    head = _git("rev-parse", "HEAD").decode().strip()
    return f"{head}+changes" if head and _git("status", "--porcelain") else head


def changes() -> bytes:
    """Uncommitted changes of this package's checkout as a patch, without untracked files."""
    plain = ("--binary", "--no-color", "--no-ext-diff", "--no-textconv")
    named = ("--src-prefix=a/", "--dst-prefix=b/")
    return _git("diff", *plain, *named, "HEAD") if _is_checkout() else b""


def _is_checkout() -> bool:
    """Whether this package is in a git checkout of its own, not installed within another."""
    root = os.fsdecode(_git("rev-parse", "--show-toplevel")).strip()
    return bool(root) and Path(root) == PACKAGE.parent


@functools.cache  # so that it is about the code that was imported
def code() -> dict[str, str]:
    """A digest of each file of `COMPUTING`, by its path in the package."""
    return digests(COMPUTING)


def digests(patterns: Iterable[str]) -> dict[str, str]:
    """A digest of each file of this package that matches a pattern, by its path in the package."""
    files = sorted(file for pattern in patterns for file in matching(pattern))
    return {file.relative_to(PACKAGE).as_posix(): _digest(file.read_bytes()) for file in files}


def matching(pattern: str) -> list[Path]:
    """The files of this package that match a pattern of `COMPUTING`."""
    return list(PACKAGE.glob(f"{pattern}/*.py" if pattern.endswith("**") else f"{pattern}.py"))


def in_part(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """The code of a run that is resumed under other code: both digests where a file differs."""
    known = renamed.current(before)
    return {
        file: digest if known.get(file, digest) == digest else f"{known[file]}+{digest}"
        for file, digest in after.items()
    }


def differing(codes: Iterable[Mapping[str, str]]) -> list[str]:
    """The files that are not the same in all results of `code`; empty results are left out."""
    known = [renamed.current(each) for each in codes if each]
    files = {file: None for each in known for file in each}
    return [file for file in files if len({each.get(file) for each in known}) > 1]


def _digest(text: bytes) -> str:
    """The digest of a text, whatever its line endings."""
    return hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest()[:12]


def _git(*arguments: str) -> bytes:
    command = ["git", "-C", str(PACKAGE), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
