"""A process that calls what it is sent, and whose end is known to be that of what it called.

It is a fresh interpreter, since JAX's threads do not survive a fork, and has a session of its own,
so that Ctrl-C reaches its parent alone, which passes it on as it sees fit. On POSIX systems only.
"""

import multiprocessing
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from resnet_jax.lab.running.executors.executor import WorkerDiedError

PATIENCE_SECONDS = 10.0  # with a process that is to end


class Process:
    """Starts when it is first called, and again when it died."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Starts nothing yet.

        Args:
          environment: what its environment has beside this process's.
        """
        self._environment = environment or {}
        self._process: subprocess.Popen | None = None
        self._pipe: Connection | None = None
        self._changing = threading.Lock()  # it is told to stop by another thread than calls it

    def call(self, function: Callable[[Any], Any], argument: Any) -> Any:
        """Calls a function in the process, and waits for what it returns.

        Args:
          function: one that can be imported by its name.
          argument: plain data.

        Raises:
          WorkerDiedError: the process ended, or the function raised.
        """
        pipe = self._running()
        try:
            pipe.send((function, argument))
            well, answer = pipe.recv()
        except (EOFError, OSError):
            raise WorkerDiedError(self._bury()) from None
        if not well:
            raise WorkerDiedError(answer)
        return answer

    def _running(self) -> Connection:
        with self._changing:
            if self._pipe is None or self._process is None or self._process.poll() is not None:
                self._pipe, theirs = multiprocessing.Pipe()
                self._process = subprocess.Popen(
                    [sys.executable, "-m", __name__, str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    env={**os.environ, **self._environment},
                    start_new_session=True,
                )
                theirs.close()  # so that the pipe ends with the process
            return self._pipe

    def _bury(self) -> str:
        with self._changing:
            assert self._process is not None, "it was called"
            code = self._process.wait()
            self._pipe = None
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def signal(self, number: int) -> None:
        """Sends a signal, if there is a process to send it to."""
        with self._changing:
            if self._process is not None:
                self._process.send_signal(number)

    def end(self, at_once: bool = False) -> None:
        """Ends the process, which is idle or, at once, wherever it stands."""
        if self._process is None:
            return
        if at_once:
            self._process.kill()
        elif self._pipe is not None:
            self._pipe.close()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def serve(pipe: Connection) -> None:
    """What the process does: calls what it is sent, until the pipe ends."""
    calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, calls), daemon=True).start()
    while (call := calls.get()) is not None:
        answer = _answer(*call)
        try:
            pipe.send(answer)
        except OSError:  # nobody is left to be told
            return


def _listen(pipe: Connection, calls: queue.SimpleQueue) -> None:
    """Takes what comes through the pipe; when the other end is gone, a training is to save."""
    try:
        while True:
            calls.put(pipe.recv())
    except (EOFError, OSError):
        calls.put(None)
        os.kill(os.getpid(), signal.SIGTERM)


def _answer(function: Callable[[Any], Any], argument: Any) -> tuple[bool, Any]:
    try:
        return True, function(argument)
    except Exception as error:
        return False, f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
