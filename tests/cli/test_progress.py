import io
import re

import pytest
from rich.console import Console

from resnet_jax.cli import progress
from resnet_jax.cli.progress import Bars, Lines, display
from resnet_jax.training.run.run_folder import Result

RECORD = {
    "kind": "train",
    "step": 25,
    "loss": 1.2345,
    "error": 45.67,
    "images_per_second": 160.0,
}
DONE = Result(
    "done",
    "",
    100,
    {"compile": 4.0, "train": 8.0, "total": 12.0},
    {"train_error": 1.5, "test_error": 2.25},
)
DIVERGED = Result("diverged", "the loss is not finite [at all]", 7)


def console(terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=120, color_system=None)


def written(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


@pytest.fixture
def log(monkeypatch) -> Console:
    """A log, on a clock that a test moves on with `log.clock[0] += ...`."""
    made = console(terminal=False)
    made.clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: made.clock[0])
    return made


def test_a_terminal_has_bars_and_a_log_has_lines():
    assert isinstance(display(console(terminal=True)), Bars)
    assert isinstance(display(console(terminal=False)), Lines)


def test_a_log_counts_the_runs_and_says_how_each_ended(log):
    with Lines(log) as lines:
        lines.start_grid(3, done=1)
        lines.start_run("plain8", 0, total=100, batch_size=32)
        lines.finish_run("plain8", DONE)
        lines.start_run("resnet8", 40, total=100, batch_size=32)
        lines.finish_run("resnet8", DIVERGED)
    assert written(log).splitlines() == [
        "3 runs, 1 of them done before",
        "[2/3] plain8: 100 steps of 32 images",
        "plain8: training error 1.50%, test error 2.25%, 12 s (4 s of it to compile)",
        "[3/3] resnet8: 100 steps of 32 images, from step 40",
        "resnet8: diverged at step 7: the loss is not finite [at all]",
    ]


def test_a_run_outside_a_grid_is_not_counted(log):
    Lines(log).start_run("runs/a", 0, total=100, batch_size=32)
    assert written(log) == "runs/a: 100 steps of 32 images\n"


def test_a_log_says_how_the_run_is_doing_now_and_then(log):
    lines = Lines(log)
    lines.start_run("plain8", 0, total=100, batch_size=32)
    log.clock[0] += progress.SECONDS_BETWEEN_LINES - 1
    lines.record(RECORD)
    assert len(written(log).splitlines()) == 1
    log.clock[0] += 2
    lines.record(RECORD)
    lines.record(RECORD)
    seconds_left = (100 - 25) * 32 / 160
    assert written(log).splitlines()[1:] == [
        f"    step 25  loss 1.234  error 45.7%  160 images/s  {seconds_left:.0f} s left"
    ]


def test_an_evaluation_leaves_the_line_to_the_training_records(log):
    lines = Lines(log)
    lines.start_run("plain8", 0, total=100, batch_size=32)
    log.clock[0] += 60
    lines.record({"kind": "eval", "step": 25, "split": "test", "loss": 1.0, "error": 2.0})
    assert len(written(log).splitlines()) == 1


def test_bars_show_the_grid_and_the_run_in_hand():
    terminal = console(terminal=True)
    with Bars(terminal) as bars:
        bars.start_grid(3, done=1)
        bars.start_run("plain8", 40, total=100, batch_size=32)
        bars.progress(41)
        bars.record(RECORD)
        bars._bars.refresh()
    told = written(terminal)
    assert re.search("all runs .* 1/3 ", told)
    assert re.search("plain8 .* 41/100 ", told)
    assert "loss 1.234  error 45.7%  160 images/s" in told


def test_a_line_stays_of_each_run_and_the_grid_moves_on():
    terminal = console(terminal=True)
    with Bars(terminal) as bars:
        bars.start_grid(3, done=1)
        bars.start_run("plain8", 0, total=100, batch_size=32)
        bars.finish_run("plain8", DONE)
        bars.finish_run("resnet8", Result("failed", "no memory", 0))  # before it began
        (grid,) = bars._bars.tasks
        assert (grid.completed, grid.total) == (3, 3)
    assert "plain8: training error 1.50%, test error 2.25%" in written(terminal)
    assert "resnet8: failed at step 0: no memory" in written(terminal)


def test_bars_of_a_run_alone_have_no_grid():
    with Bars(console(terminal=True)) as bars:
        bars.start_run("runs/a", 0, total=100, batch_size=32)
        bars.progress(1)
        bars.finish_run("runs/a", DONE)
        assert bars._bars.tasks == []
