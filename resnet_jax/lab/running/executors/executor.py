"""The interface of executors, and the one that executes runs in this process."""

from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, ClassVar, Protocol, Self


class WorkerDiedError(Exception):
    """A worker ended before its run did; the message says how."""


class Executor(Protocol):
    """Executes runs, as futures.

    Attributes:
      here: whether runs are executed in this process, where the observer sees each step.
    """

    here: ClassVar[bool]

    @property
    def slots(self) -> float:
        """The number of runs that it takes at a time; infinite if it has a queue of its own."""

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future:
        """Calls a function on a worker.

        Args:
          function: a function that can be imported by name.
          argument: a value that can be pickled.

        Returns:
          The future result; its exception is that of the worker, such as `WorkerDiedError`.
        """

    def stop(self) -> None:
        """Tells the active runs to save a checkpoint and to end; then their futures end."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Releases the workers; after an error, without waiting for them."""


class Here:
    """Executes runs in this process, one after another: a future is done when it is returned."""

    here: ClassVar[bool] = True
    slots = 1.0

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future:
        future: Future = Future()
        future.set_result(function(argument))  # exceptions are raised at once
        return future

    def stop(self) -> None:  # between two calls no run is active
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
