"""Live progress: two bars on a terminal, or in a log a line every few seconds."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed
from rich.progress import TimeRemainingColumn as Remaining

from resnet_jax.lab.formatting import count
from resnet_jax.training.devices import distributed
from resnet_jax.training.run.observer import Observer, Observers
from resnet_jax.training.run.run_folder import Record, Result

SECONDS_BETWEEN_LINES = 10.0


class Display(Observer):
    """A progress display: an observer that is also a context manager."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Removes from the terminal what should not stay."""


def display(console: Console) -> Display:
    """Bars on a terminal, lines in a log."""
    return Bars(console) if console.is_terminal else Lines(console)


@contextmanager
def watching(console: Console, workdir: Path, tensorboard: bool = False) -> Iterator[Observer]:
    """The observer of one training run: a display and, if asked for, a TensorBoard writer.

    In a job of several processes only the first has a display.
    """
    if not distributed.is_main_process():
        yield Observer()
        return
    with ExitStack() as stack:
        shown = stack.enter_context(display(console))
        if tensorboard:
            from resnet_jax.training.run.observer import TensorBoard

            yield Observers(shown, stack.enter_context(TensorBoard(workdir / "tensorboard")))
        else:
            yield shown


class Bars(Display):
    """A bar for the grid, one for the current run, and a line that stays for each finished run."""

    def __init__(self, console: Console):
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            Elapsed(),
            TextColumn("left"),
            Remaining(),
            TextColumn("{task.fields[state]}"),
            console=console,
            transient=True,
        )
        self._grid: TaskID | None = None
        self._run: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def start_grid(self, runs: int, done: int) -> None:
        self._grid = self._bars.add_task("all runs", total=runs, completed=done, state="")

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        self._run = self._bars.add_task(name, total=total, completed=step, state="compiling")

    def progress(self, step: int) -> None:
        if self._run is not None:
            self._bars.update(self._run, completed=step)

    def record(self, record: Record) -> None:
        """Shows the newest loss, error and speed beside the run's bar."""
        if self._run is not None and record["kind"] == "train":
            self._bars.update(self._run, state=_state(record))

    def warn(self, message: str) -> None:
        self._console.print(f"warning: {message}", highlight=False, markup=False)

    def finish_run(self, name: str, result: Result) -> None:
        """Replaces the run's bar by a line that stays."""
        if self._run is not None:
            self._bars.remove_task(self._run)
            self._run = None
        if self._grid is not None:
            self._bars.advance(self._grid)
        self._console.print(ending(name, result), highlight=False, markup=False)


class Lines(Display):
    """Lines for a log: when a run starts, every ten seconds, and when it ends."""

    def __init__(self, console: Console):
        self._console = console
        self._runs = self._done = 0
        self._total = self._batch_size = 0
        self._printed_at = 0.0

    def start_grid(self, runs: int, done: int) -> None:
        self._runs, self._done = runs, done
        self._print(f"{count(runs, 'run')}, {done} of them done before")

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        self._total, self._batch_size = total, batch_size
        number = f"[{self._done + 1}/{self._runs}] " if self._runs else ""
        resumed = f", from step {step}" if step else ""
        length = f": {total} steps of {batch_size} images{resumed}" if total > 1 else ""
        self._print(f"{number}{name}{length}")

    def record(self, record: Record) -> None:
        """Prints a line if the last one is old enough."""
        since = time.monotonic() - self._printed_at
        if record["kind"] == "train" and since > SECONDS_BETWEEN_LINES:
            images_left = (self._total - record["step"]) * self._batch_size
            left = images_left / record["images_per_second"]
            self._print(f"    step {record['step']}  {_state(record)}  {left:.0f} s left")

    def warn(self, message: str) -> None:
        self._print(f"warning: {message}")

    def finish_run(self, name: str, result: Result) -> None:
        self._done += 1
        self._print(ending(name, result))

    def _print(self, line: str) -> None:
        self._printed_at = time.monotonic()
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


class WorkerLines(Lines):
    """Lines for runs that workers execute side by side: when each starts and when it ends."""

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        self._print(f"{name}: started")

    def finish_run(self, name: str, result: Result) -> None:
        self._done += 1
        self._print(f"[{self._done}/{self._runs}] {ending(name, result)}")


def ending(name: str, result: Result) -> str:
    """How a run ended, in one line."""
    if result.status != "done":
        return f"{name}: {result.status} at step {result.step}: {result.message}"
    final, seconds = result.final, result.seconds
    errors = ("train_error", "training error"), ("test_error", "test error")
    found = "".join(f"{words} {final[key]:.2f}%, " for key, words in errors if key in final)
    return f"{name}: {found}{seconds['total']:.0f} s ({seconds['compile']:.0f} s of it to compile)"


def _state(record: Record) -> str:
    return (
        f"loss {record['loss']:.3f}  error {record['error']:.1f}%  "
        f"{record['images_per_second']:.0f} images/s"
    )
