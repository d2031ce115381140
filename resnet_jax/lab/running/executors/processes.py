"""In processes of this machine, each of which does one run at a time.

One pool of several processes could not say whose run killed a process: all of its futures break.
Here each process is called by a thread of its own, and the run in it is the one that dies with it.
"""

import os
import queue
import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, ClassVar, Self

from resnet_jax.lab.running.executors import gpus
from resnet_jax.lab.running.executors.process import Process


class Processes:
    """Keeps some processes, and starts another in the place of one that died."""

    here: ClassVar[bool] = False

    def __init__(self, workers: int) -> None:
        """Starts nothing yet.

        Args:
          workers: how many; on a machine with GPUs each gets its own.
        """
        self.slots = float(workers)
        found = gpus.visible(os.environ)
        self._processes = [
            Process(gpus.environment(number, workers, found, os.environ))
            for number in range(workers)
        ]
        self._idle: queue.SimpleQueue[Process] = queue.SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(workers)

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future:
        """See `Executor`."""
        return self._threads.submit(self._call, function, argument)

    def _call(self, function: Callable[[Any], Any], argument: Any) -> Any:
        process = self._idle.get()
        try:
            return process.call(function, argument)
        finally:
            self._idle.put(process)

    def stop(self) -> None:
        """See `Executor`: on SIGTERM a training saves and ends."""
        for process in self._processes:
            process.signal(signal.SIGTERM)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """See `Executor`."""
        for process in self._processes:
            process.end(at_once=error is not None)
        self._threads.shutdown()
