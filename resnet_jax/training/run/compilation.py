"""Compilation: the persistent cache of compiled programs, and the seconds spent compiling."""

import time
from pathlib import Path

import jax
import jax.monitoring

from resnet_jax.files import user_cache

_intervals: list[tuple[float, float]] = []  # start and end of each stage that JAX reports


def cache_folder() -> Path:
    """The user's folder for compiled programs, `xla` in the package's cache."""
    return user_cache() / "xla"


def use_cache() -> None:
    """Enables the persistent cache, unless the user has configured one."""
    if jax.config.values["jax_compilation_cache_dir"] is None:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder()))
        # Small programs too: together they take seconds.
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def compile_seconds(since: float) -> float:
    """Seconds spent tracing, lowering and compiling since a reading of `time.perf_counter()`.

    Stages nest (a traced function traces others), so their durations cannot be summed: this is the
    length of the union of their intervals.
    """
    seconds, reached = 0.0, since
    for begin, end in sorted(_intervals):
        seconds += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return seconds


def _note(event: str, duration_secs: float, **_: str | int) -> None:
    if event.startswith("/jax/core/compile/"):
        end = time.perf_counter()
        _intervals.append((end - duration_secs, end))


jax.monitoring.register_event_duration_secs_listener(_note)
