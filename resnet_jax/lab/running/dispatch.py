"""Brings runs to an executor, and what became of them to an observer."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from resnet_jax.lab.design.study import Study
from resnet_jax.lab.running.executors import Executor, WorkerDiedError
from resnet_jax.lab.running.worker import Outcome, Task, fail, last_line, perform, work
from resnet_jax.training.run.interruption import Signals
from resnet_jax.training.run.observer import Observer

TRIES = 2  # of a run whose worker dies: a machine may have been to blame
POLL_SECONDS = 0.5  # how soon a signal is answered while all workers are busy


def dispatch(
    tasks: Sequence[Task], executor: Executor, study: Study | None, observer: Observer
) -> None:
    """Does runs to their end.

    A run whose worker dies goes back to the end of the queue, once, and then counts as failed. It
    stops no other.

    Args:
      tasks: the runs.
      executor: where they are done; it is left when this returns.
      study: what runs of this process measure in place of training.
      observer: told of each event; of runs on workers, that they start and how they end.

    Raises:
      KeyboardInterrupt: the process was told to stop, and so were the runs under way, which save.
    """

    def here(task: Task) -> Outcome:
        return Outcome(perform(task.config, study, task.folder, observer))

    # In this process it is the training that answers to signals.
    signals: AbstractContextManager[Signals | None] = nullcontext() if executor.here else Signals()
    with executor, signals as noted:
        _Dispatch(executor, here if executor.here else work, observer).all_of(tasks, noted)


@dataclass(frozen=True)
class _Try:
    task: Task
    deaths: int = 0  # of workers, before this one


class _Dispatch:
    """The runs that wait and those that are under way."""

    def __init__(
        self, executor: Executor, function: Callable[[Task], Outcome], observer: Observer
    ) -> None:
        self.executor, self.function, self.observer = executor, function, observer
        self.waiting: deque[_Try] = deque()
        self.under_way: dict[Future, _Try] = {}

    def all_of(self, tasks: Sequence[Task], signals: Signals | None) -> None:
        self.waiting.extend(map(_Try, tasks))
        while self.waiting or self.under_way:
            self._submit()
            done, _ = wait(self.under_way, POLL_SECONDS, FIRST_COMPLETED)
            for future in done:
                self._settle(future, self.under_way.pop(future))
            if signals and signals.received is not None:
                return self._stop()
        return None

    def _submit(self) -> None:
        while self.waiting and len(self.under_way) < self.executor.slots:
            each = self.waiting.popleft()
            if not self.executor.here:
                self.observer.start_run(each.task.folder.name, 0, 1, 1)
            self.under_way[self.executor.submit(self.function, each.task)] = each

    def _settle(self, future: Future, tried: _Try) -> None:
        try:
            outcome: Outcome = future.result()
        except Exception as death:  # what goes wrong in a run comes back as its result
            return self._bury(tried, _how(death))
        if self.executor.here:
            return None
        for message in outcome.warnings:
            self.observer.warn(message)
        if outcome.result:
            self.observer.finish_run(tried.task.folder.name, outcome.result)
        return None

    def _bury(self, tried: _Try, why: str) -> None:
        folder, deaths = tried.task.folder, tried.deaths + 1
        if deaths < TRIES:
            self.observer.warn(f"{folder.name}: its worker died ({why}); it is tried once more")
            self.waiting.append(_Try(tried.task, deaths))
            return
        message = f"its worker died {deaths} times: {why}"
        self.observer.finish_run(folder.name, fail(folder, message, f"{message}\n"))

    def _stop(self) -> None:
        self.observer.warn(f"stopping: {len(self.under_way)} under way save first")
        self.executor.stop()
        wait(self.under_way)  # a second signal raises, and does not wait


def _how(death: Exception) -> str:
    return str(death) if isinstance(death, WorkerDiedError) else last_line(death)
