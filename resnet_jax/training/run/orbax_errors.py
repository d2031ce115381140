"""Orbax's errors: which of them are transient, and what it logs about them.

Orbax passes on exceptions of several libraries, and no type tells a corrupt file from a missing
permission. This module is the one place that knows their texts and their log messages.
"""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

TRANSIENT = (PermissionError, TimeoutError, MemoryError)
TRANSIENT_WORDS = ("RESOURCE_EXHAUSTED", "PERMISSION_DENIED", "UNAVAILABLE", "Too many open files")
"""TensorStore raises a `ValueError` that starts with a status code; the last text is the OS's."""


def is_transient(error: Exception) -> bool:
    """Whether a checkpoint could not be read although it may be whole."""
    return isinstance(error, TRANSIENT) or any(word in str(error) for word in TRANSIENT_WORDS)


@contextmanager
def logs_dropped() -> Iterator[None]:
    """Drops Orbax's log messages within the `with` block, and no others.

    It logs an error that it raises as well, from a thread of its own. The message comes by the
    logger of absl, or by that of asyncio if a task of Orbax failed.
    """

    def keep(record: logging.LogRecord) -> bool:
        return not _is_of_orbax(record)

    loggers = [logging.getLogger(name) for name in ("absl", "asyncio")]
    for logger in loggers:
        logger.addFilter(keep)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(keep)


def _is_of_orbax(record: logging.LogRecord) -> bool:
    places = [record.pathname]
    if record.exc_info and record.exc_info[2]:
        places += [frame.filename for frame in traceback.extract_tb(record.exc_info[2])]
    return any("orbax" in place for place in places)
