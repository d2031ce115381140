"""Observers: objects that are told of the events of runs, to show progress or keep warnings."""

from resnet_jax.training.run.run_folder import Record, Result


class Observer:
    """An observer that ignores all events; subclasses override those that they need."""

    def start_grid(self, runs: int, done: int) -> None:
        """An experiment of `runs` runs starts, of which `done` are finished."""

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        """A run of `total` steps starts, or resumes from `step`."""

    def record(self, record: Record) -> None:
        """The current run has written a record."""

    def warn(self, message: str) -> None:
        """Something is wrong that does not stop the run."""

    def progress(self, step: int) -> None:
        """The current run has made `step` updates."""

    def finish_run(self, name: str, result: Result) -> None:
        """The current run has ended."""


class Observers(Observer):
    """Passes all events on to several observers."""

    def __init__(self, *observers: Observer):
        self._observers = observers

    def start_grid(self, runs: int, done: int) -> None:
        for each in self._observers:
            each.start_grid(runs, done)

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        for each in self._observers:
            each.start_run(name, step, total, batch_size)

    def record(self, record: Record) -> None:
        for each in self._observers:
            each.record(record)

    def warn(self, message: str) -> None:
        for each in self._observers:
            each.warn(message)

    def progress(self, step: int) -> None:
        for each in self._observers:
            each.progress(step)

    def finish_run(self, name: str, result: Result) -> None:
        for each in self._observers:
            each.finish_run(name, result)
