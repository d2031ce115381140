"""What watches a run: told of each event, and free to draw, print, or do nothing."""

from resnet_jax.training.run.run_folder import Record, Result


class Observer:
    """Does nothing; a progress display overrides what it shows."""

    def start_grid(self, runs: int, done: int) -> None:
        """An experiment of `runs` runs begins, of which `done` were done before."""

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        """A run begins, or goes on from `step`."""

    def record(self, record: Record) -> None:
        """The run in hand wrote a record."""

    def warn(self, message: str) -> None:
        """Something is amiss that the run can go on with."""

    def progress(self, step: int) -> None:
        """The run in hand has made `step` updates."""

    def finish_run(self, name: str, result: Result) -> None:
        """The run in hand ended."""


class Several(Observer):
    """Observers who are all told the same."""

    def __init__(self, *observers: Observer):
        self._observers = observers

    def start_grid(self, runs: int, done: int) -> None:
        """See `Observer`."""
        for each in self._observers:
            each.start_grid(runs, done)

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        """See `Observer`."""
        for each in self._observers:
            each.start_run(name, step, total, batch_size)

    def record(self, record: Record) -> None:
        """See `Observer`."""
        for each in self._observers:
            each.record(record)

    def warn(self, message: str) -> None:
        """See `Observer`."""
        for each in self._observers:
            each.warn(message)

    def progress(self, step: int) -> None:
        """See `Observer`."""
        for each in self._observers:
            each.progress(step)

    def finish_run(self, name: str, result: Result) -> None:
        """See `Observer`."""
        for each in self._observers:
            each.finish_run(name, result)
