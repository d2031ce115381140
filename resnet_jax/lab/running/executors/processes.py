"""Executes runs in processes of this machine, each of which takes one run at a time.

A pool such as `ProcessPoolExecutor` does not say whose run killed a process: all of its futures
break. Here each process is called by a thread of its own, and only the run in it dies with it.

A process is a fresh interpreter, since JAX's threads do not survive a fork. It has a session of its
own, so that Ctrl-C reaches only its parent, which decides what to pass on. POSIX systems only.
"""

import multiprocessing
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, ClassVar, Self

from resnet_jax.errors import one_line
from resnet_jax.lab.running.executors.executor import WorkerDiedError

END_SECONDS = 10.0  # before a process that does not end is killed
GPU_MEMORY = 0.9  # fraction of a GPU's memory that the processes on it share


class Processes:
    """Keeps a number of processes, and replaces one that died."""

    here: ClassVar[bool] = False

    def __init__(self, workers: int) -> None:
        """Prepares the processes; each starts with its first run.

        Args:
          workers: the number of processes; on a machine with GPUs each gets its own.
        """
        self.slots = float(workers)
        gpus = visible_gpus(os.environ)
        self._processes = [
            Process(gpu_environment(number, workers, gpus, os.environ)) for number in range(workers)
        ]
        self._idle: queue.SimpleQueue[Process] = queue.SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(workers)

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future:
        return self._threads.submit(self._call, function, argument)

    def _call(self, function: Callable[[Any], Any], argument: Any) -> Any:
        process = self._idle.get()
        try:
            return process.call(function, argument)
        finally:
            self._idle.put(process)

    def stop(self) -> None:
        for process in self._processes:
            process.signal(signal.SIGTERM)  # on which training saves a checkpoint and ends

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._processes:
            process.end(at_once=error is not None)
        self._threads.shutdown()


class Process:
    """A process that calls functions; it starts with the first call, and again after it died."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Starts nothing yet.

        Args:
          environment: environment variables, in addition to those of this process.
        """
        self._environment = environment or {}
        self._process: subprocess.Popen | None = None
        self._pipe: Connection | None = None
        self._lock = threading.Lock()  # `signal` is called by another thread than `call`

    def call(self, function: Callable[[Any], Any], argument: Any) -> Any:
        """Calls a function in the process and returns its result.

        Args:
          function: a function that can be imported by name.
          argument: a value that can be pickled.

        Raises:
          WorkerDiedError: the process ended, or the function raised.
        """
        pipe = self._start()
        try:
            pipe.send((function, argument))
            succeeded, answer = pipe.recv()
        except (EOFError, OSError):
            raise WorkerDiedError(self._exit_status()) from None
        if not succeeded:
            raise WorkerDiedError(answer)
        return answer

    def _start(self) -> Connection:
        with self._lock:
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

    def _exit_status(self) -> str:
        with self._lock:
            assert self._process is not None, "it was called"
            code = self._process.wait()
            self._pipe = None
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def signal(self, number: int) -> None:
        """Sends a signal, if the process has started."""
        with self._lock:
            if self._process is not None:
                self._process.send_signal(number)

    def end(self, at_once: bool = False) -> None:
        """Ends the process.

        Args:
          at_once: kills it, whatever it is doing; otherwise it has to be idle.
        """
        if self._process is None:
            return
        if at_once:
            self._process.kill()
        elif self._pipe is not None:
            self._pipe.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def serve(pipe: Connection) -> None:
    """The main function of the process: calls what it is sent, until the pipe is closed."""
    calls: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, calls), daemon=True).start()
    while (call := calls.get()) is not None:
        answer = _answer(*call)
        try:
            pipe.send(answer)
        except OSError:  # the parent is gone
            return


def _listen(pipe: Connection, calls: queue.SimpleQueue) -> None:
    """Receives calls; when the parent is gone, ends a training, which saves a checkpoint."""
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
        return False, one_line(error)


def visible_gpus(environ: Mapping[str, str]) -> list[str]:
    """Lists the GPUs of this machine as `CUDA_VISIBLE_DEVICES` names them; empty without GPUs.

    JAX is not asked, since it would take the GPUs' memory for this process.

    Args:
      environ: the environment variables, in which the user may have selected some.
    """
    if "CUDA_VISIBLE_DEVICES" in environ:
        return [name.strip() for name in environ["CUDA_VISIBLE_DEVICES"].split(",") if name.strip()]
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--list-gpus"], capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = [line for line in listed.stdout.splitlines() if line.startswith("GPU ")]
    return [str(number) for number in range(len(lines))]


def gpu_environment(
    worker: int, workers: int, gpus: Sequence[str], environ: Mapping[str, str]
) -> dict[str, str]:
    """Environment variables that give each of several processes its own GPU.

    If there are more processes than GPUs, they are distributed evenly, and those on the same GPU
    share its memory.

    Args:
      worker: the index of the process, from 0.
      workers: the number of processes.
      gpus: the GPUs, as `visible_gpus` lists them.
      environ: the environment variables; a memory fraction set there is kept.

    Example:
      >>> gpu_environment(1, 2, ["0", "3"], {}), gpu_environment(1, 2, [], {})
      ({'CUDA_VISIBLE_DEVICES': '3'}, {})
      >>> gpu_environment(2, 3, ["0", "3"], {})
      {'CUDA_VISIBLE_DEVICES': '0', 'XLA_PYTHON_CLIENT_MEM_FRACTION': '0.45'}
    """
    if not gpus:
        return {}
    place = worker % len(gpus)
    sharing = len(range(place, workers, len(gpus)))
    variables = {"CUDA_VISIBLE_DEVICES": gpus[place]}
    if sharing > 1 and "XLA_PYTHON_CLIENT_MEM_FRACTION" not in environ:
        variables["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{GPU_MEMORY / sharing:.2g}"
    return variables


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
