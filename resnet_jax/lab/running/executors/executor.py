"""What an executor is to those who submit to it."""

from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self


class WorkerDiedError(Exception):
    """A worker ended before its run did; the message says how."""


class Executor(Protocol):
    """Does runs, as futures.

    Attributes:
      here: whether runs are done in this process, where its observer sees each step.
    """

    here: ClassVar[bool]

    @property
    def slots(self) -> float:
        """How many runs it takes at a time; infinite if the queue is its own."""

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future:
        """Has a function called on a worker.

        Args:
          function: one that can be imported by its name.
          argument: plain data.

        Returns:
          The future result; its exception says that the worker died, and how.
        """

    def stop(self) -> None:
        """Tells the runs under way to save and to end; their futures end after that."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Lets the workers go; after an error, without waiting for what they do."""
