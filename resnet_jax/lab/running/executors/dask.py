"""By the workers of a Dask cluster, which may be on many machines.

    dask scheduler
    dask worker tcp://HOST:8786 --nworkers 4 --nthreads 1

Each thread of a worker does one run at a time, in a process of the run's own: a run that dies takes
no worker with it. The workers have to see the folder of results under the same path.
"""

import signal
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, ClassVar, Self

from resnet_jax.errors import UserError
from resnet_jax.lab.running.executors.process import Process

CONNECT_SECONDS = 10
ASK_SECONDS = 1.0  # how often a worker asks whether to stop


class Dask:
    """A client of the cluster."""

    here: ClassVar[bool] = False

    def __init__(self, address: str) -> None:
        """Connects to a cluster.

        Args:
          address: of its scheduler, such as `tcp://host:8786`.

        Raises:
          UserError: Dask is not installed, or nobody answers there.
        """
        try:
            from distributed import Client, Event
            from distributed.comm import get_address_host_port
        except ImportError:
            raise UserError(
                "--dask takes the extra `dask`: pip install -e '.[dask]', here and on the workers"
            ) from None
        try:
            get_address_host_port(address)  # a client of no address does not end, and hangs at exit
            self._client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"--dask {address}: no scheduler answers there ({reason})") from error
        self._stop = Event(f"stop-{uuid.uuid4().hex}", client=self._client)
        self._executor = self._client.get_executor(pure=False)

    @property
    def slots(self) -> float:
        """As many runs as the cluster has threads at the moment."""
        return float(max(1, sum(self._client.nthreads().values())))

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future:
        """See `Executor`."""
        return self._executor.submit(_in_a_process, self._stop.name, function, argument)

    def stop(self) -> None:
        """See `Executor`: signals do not reach other machines, so the workers ask."""
        self._stop.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the cluster to others."""
        self._client.close()


def _in_a_process(stop: str, function: Callable[[Any], Any], argument: Any) -> Any:
    """Calls a function in a process, which is told to stop when the event is set."""
    from distributed import Event, get_client

    event, process, told = Event(stop, client=get_client()), Process(), False
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(process.call, function, argument)
        try:
            while wait([future], ASK_SECONDS).not_done:
                if not told and event.is_set():
                    process.signal(signal.SIGTERM)
                    told = True
            return future.result()
        finally:
            process.end(at_once=not future.done())
