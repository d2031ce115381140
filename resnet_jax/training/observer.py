"""What watches a run: told of each event, and free to draw, print, or do nothing."""

from resnet_jax.training.run_folder import Record, Result


class Observer:
    """Does nothing; a progress display overrides what it shows."""

    def start_grid(self, runs: int, done: int) -> None:
        """An experiment of `runs` runs begins, of which `done` were done before."""

    def start_run(self, name: str, step: int, total: int, batch_size: int) -> None:
        """A run begins, or goes on from `step`."""

    def record(self, record: Record) -> None:
        """The run in hand wrote a record."""

    def progress(self, step: int) -> None:
        """The run in hand has made `step` updates."""

    def finish_run(self, name: str, result: Result) -> None:
        """The run in hand ended."""
