"""Live progress: two bars on a terminal, a line now and then in a log."""

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

from resnet_jax.lab import formatting
from resnet_jax.training.run.observer import Observer, Several
from resnet_jax.training.run.run_folder import Record, Result

SECONDS_BETWEEN_LINES = 10.0


class Display(Observer):
    """A progress display: an observer to be used in a `with` block."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Takes away what should not stay."""


def display(console: Console) -> Display:
    """The display that suits where the output goes."""
    return Bars(console) if console.is_terminal else Lines(console)


@contextmanager
def watching(console: Console, workdir: Path, tensorboard: bool = False) -> Iterator[Observer]:
    """What watches a training: the display, and TensorBoard's writer if asked for.

    Of a job of several processes the first alone is watched.
    """
    from resnet_jax.training.devices import distributed

    if not distributed.speaks():
        yield Observer()
        return
    with ExitStack() as stack:
        shown = stack.enter_context(display(console))
        if tensorboard:
            from resnet_jax.training.run.tensorboard import TensorBoard

            yield Several(shown, stack.enter_context(TensorBoard(workdir / "tensorboard")))
        else:
            yield shown


class Bars(Display):
    """A bar for the grid and one for the run in hand, and a line that stays for each run."""

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
        """Takes the bars away."""
        self._bars.stop()

    def start_grid(self, runs: int, done: int) -> None:
        """Draws the bar of the grid."""
        self._grid = self._bars.add_task("all runs", total=runs, completed=done, state="")

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        """Draws the bar of the run in hand."""
        self._run = self._bars.add_task(name, total=total, completed=step, state="compiling")

    def progress(self, step: int) -> None:
        """Moves the bar of the run in hand."""
        if self._run is not None:
            self._bars.update(self._run, completed=step)

    def record(self, record: Record) -> None:
        """Shows the newest loss, error and speed beside the run's bar."""
        if self._run is not None and record["kind"] == "train":
            self._bars.update(self._run, state=_state(record))

    def warn(self, message: str) -> None:
        """Shows the warning above the bars."""
        self._console.print(f"warning: {message}", highlight=False, markup=False)

    def finish_run(self, name: str, result: Result) -> None:
        """Turns the run's bar into a line that stays."""
        if self._run is not None:
            self._bars.remove_task(self._run)
            self._run = None
        if self._grid is not None:
            self._bars.advance(self._grid)
        self._console.print(ending(name, result), highlight=False, markup=False)


class Lines(Display):
    """Lines for a log: when a run begins and ends, and every ten seconds between."""

    def __init__(self, console: Console):
        self._console = console
        self._runs = self._done = 0
        self._name, self._total, self._batch_size = "", 0, 0
        self._spoke = 0.0

    def start_grid(self, runs: int, done: int) -> None:
        """Says how much there is to do."""
        self._runs, self._done = runs, done
        self._say(f"{formatting.count(runs, 'run')}, {done} of them done before")

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        """Says which run begins."""
        self._name, self._total, self._batch_size = name, total, batch_size
        count = f"[{self._done + 1}/{self._runs}] " if self._runs else ""
        resumed = f", from step {step}" if step else ""
        length = f": {total} steps of {batch_size} images{resumed}" if total > 1 else ""
        self._say(f"{count}{name}{length}")

    def record(self, record: Record) -> None:
        """Says how the run in hand is doing, if the last line is old enough."""
        if record["kind"] == "train" and time.monotonic() > self._spoke + SECONDS_BETWEEN_LINES:
            images_left = (self._total - record["step"]) * self._batch_size
            left = images_left / record["images_per_second"]
            self._say(f"    step {record['step']}  {_state(record)}  {left:.0f} s left")

    def warn(self, message: str) -> None:
        """Says it."""
        self._say(f"warning: {message}")

    def finish_run(self, name: str, result: Result) -> None:
        """Says how the run ended."""
        self._done += 1
        self._say(ending(name, result))

    def _say(self, line: str) -> None:
        self._spoke = time.monotonic()
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


class Together(Lines):
    """Lines for runs that workers do side by side: when each begins and when it ends."""

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        """Says that a worker has it."""
        self._say(f"{name}: begins")

    def finish_run(self, name: str, result: Result) -> None:
        """Says how it ended, and how many have."""
        self._done += 1
        self._say(f"[{self._done}/{self._runs}] {ending(name, result)}")


def _state(record: Record) -> str:
    return (
        f"loss {record['loss']:.3f}  error {record['error']:.1f}%  "
        f"{record['images_per_second']:.0f} images/s"
    )


def ending(name: str, result: Result) -> str:
    """How a run ended, in a line."""
    if result.status != "done":
        return f"{name}: {result.status} at step {result.step}: {result.message}"
    final, seconds = result.final, result.seconds
    errors = ("train_error", "training error"), ("test_error", "test error")
    found = "".join(f"{words} {final[key]:.2f}%, " for key, words in errors if key in final)
    return f"{name}: {found}{seconds['total']:.0f} s ({seconds['compile']:.0f} s of it to compile)"
