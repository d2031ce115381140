"""Launching a job of several processes on this machine; if one dies, the others are stopped."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType

GRACE_SECONDS = 5.0
"""Time for the others to end by themselves after one has died, and again after SIGTERM."""

POLL_SECONDS = 0.1


def launch(arguments: Sequence[str], processes: int, cpu_devices: int = 0) -> int:
    """Runs `resnet-jax` as a job of several processes, and waits for all of them.

    SIGINT and SIGTERM are passed on to the processes as SIGTERM, on which they save and stop.

    Args:
      arguments: arguments of the command, `train` and what follows.
      processes: number of processes.
      cpu_devices: virtual CPU devices of each process; 0: one of the machine's devices each.

    Returns:
      0, or the exit code of the first process that failed: 128 plus the signal number if a signal
      ended it.
    """
    coordinator = f"localhost:{_free_port()}"
    children: list[subprocess.Popen] = []
    stopping: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.append(number)
        _signal(children, signal.SIGTERM if len(stopping) == 1 else signal.SIGKILL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for index in range(processes):
            own = [] if cpu_devices else ["--local-devices", str(index)]
            command = [sys.executable, "-m", "resnet_jax.cli", *arguments, "--distributed"]
            place = ["--processes", str(processes), "--process-id", str(index), *own]
            children.append(
                subprocess.Popen(
                    [*command, "--coordinator", coordinator, *place],
                    env=_environment(cpu_devices),
                    start_new_session=True,  # so that Ctrl-C reaches this process only
                )
            )
        return _watch(children, stopping)
    finally:
        _signal(children, signal.SIGKILL)
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(children: Sequence[subprocess.Popen], stopping: Sequence[int]) -> int:
    while True:
        codes = [child.poll() for child in children]
        if all(code is not None for code in codes):
            break
        if any(codes) and not stopping:  # one has failed
            break
        time.sleep(POLL_SECONDS)
    failed = next(((index, code) for index, code in enumerate(codes) if code), None)
    if failed is None:
        return 0
    index, code = failed
    if not stopping:
        print(
            f"resnet-jax: process {index} of {len(children)} {_ended(code)}; the others are "
            f"stopped.{' The same command resumes from the newest checkpoint' if code < 0 else ''}",
            file=sys.stderr,
        )
        _end(children)
    return 128 - code if code < 0 else code


def _end(children: Sequence[subprocess.Popen]) -> None:
    """Waits for processes to end, then sends SIGTERM and waits again."""
    for number in (None, signal.SIGTERM):
        if number is not None:
            _signal(children, number)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            if all(child.poll() is not None for child in children):
                return
            time.sleep(POLL_SECONDS)


def _signal(children: Sequence[subprocess.Popen], number: int) -> None:
    for child in children:
        if child.poll() is None:
            child.send_signal(number)


def _ended(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def _environment(cpu_devices: int) -> dict[str, str]:
    if not cpu_devices:
        return dict(os.environ)
    flags = f"{os.environ.get('XLA_FLAGS', '')} "
    flags += f"--xla_force_host_platform_device_count={cpu_devices}"
    return os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags.strip()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]
