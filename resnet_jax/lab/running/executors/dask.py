"""Executes runs on the workers of a Dask cluster, possibly on many machines.

    dask scheduler
    dask worker tcp://HOST:8786 --nworkers 4 --nthreads 1

Each thread of a worker executes one run at a time, in a process of its own, so that a run that dies
does not take the worker with it. The workers have to see the folder of results under the same path.
"""

import signal
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, ClassVar, Self

from resnet_jax.errors import UserError, one_line
from resnet_jax.lab.running.executors.processes import Process

CONNECT_SECONDS = 10
POLL_SECONDS = 1.0  # how often a worker asks whether to stop


class Dask:
    """A client of a Dask cluster."""

    here: ClassVar[bool] = False

    def __init__(self, address: str) -> None:
        """Connects to a cluster.

        Args:
          address: the address of its scheduler, such as `tcp://host:8786`.

        Raises:
          UserError: Dask is not installed, or no scheduler answers at the address.
        """
        try:
            from distributed import Client, Event
            from distributed.comm import get_address_host_port
        except ImportError:
            raise UserError(
                "--dask needs the extra `dask`: pip install -e '.[dask]', here and on the workers"
            ) from None
        try:
            get_address_host_port(address)  # a client of an invalid address hangs at exit
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UserError(
                f"--dask {address}: no scheduler answers there ({one_line(error)})"
            ) from error
        self._stop = Event(f"stop-{uuid.uuid4().hex}", client=self._client)
        self._executor = self._client.get_executor(pure=False)

    @property
    def slots(self) -> float:
        """The number of threads that the cluster has at the moment."""
        return float(max(1, sum(self._client.nthreads().values())))

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future:
        return self._executor.submit(_call_in_process, self._stop.name, function, argument)

    def stop(self) -> None:
        self._stop.set()  # workers ask for it, since signals do not reach other machines

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


def _call_in_process(stop: str, function: Callable[[Any], Any], argument: Any) -> Any:
    """Calls a function in a new process, which is told to stop when the event `stop` is set."""
    from distributed import Event, get_client

    event, process, stopped = Event(stop, client=get_client()), Process(), False
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(process.call, function, argument)
        try:
            while wait([future], POLL_SECONDS).not_done:
                if not stopped and event.is_set():
                    process.signal(signal.SIGTERM)
                    stopped = True
            return future.result()
        finally:
            process.end(at_once=not future.done())
