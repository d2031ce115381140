"""Submits runs to an executor and reports their results to an observer."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from resnet_jax.errors import one_line
from resnet_jax.lab.design.study import Study
from resnet_jax.lab.running.executors import Executor, WorkerDiedError
from resnet_jax.lab.running.worker import Task, TaskResult, fail, perform, work
from resnet_jax.training.run.interruption import Signals
from resnet_jax.training.run.observer import Observer

ATTEMPTS = 2  # at a run whose worker dies: the machine may be to blame
POLL_SECONDS = 0.5  # longest delay of the reaction to a signal while all workers are busy


def dispatch(
    tasks: Sequence[Task], executor: Executor, study: Study | None, observer: Observer
) -> None:
    """Executes runs on an executor.

    A run whose worker dies is put back into the queue once; the second time it counts as failed.
    Other runs are not affected.

    Args:
      tasks: the runs.
      executor: executes the runs; it is left open.
      study: what the runs of this process compute instead of training; None to train.
      observer: told of each event; for runs on workers, of their start and end only.

    Raises:
      KeyboardInterrupt: the process was told to stop, and the active runs have saved a checkpoint.
    """

    def perform_here(task: Task) -> TaskResult:
        return TaskResult(perform(task.config, study, task.folder, observer))

    # In this process the training loop handles signals itself.
    signals: AbstractContextManager[Signals | None] = nullcontext() if executor.here else Signals()
    with signals as received:
        function = perform_here if executor.here else work
        _Queue(executor, function, observer).process(tasks, received)


@dataclass(frozen=True)
class _Attempt:
    task: Task
    deaths: int = 0  # of workers in earlier attempts


class _Queue:
    """The waiting and the active runs."""

    def __init__(
        self, executor: Executor, function: Callable[[Task], TaskResult], observer: Observer
    ) -> None:
        self.executor, self.function, self.observer = executor, function, observer
        self.waiting: deque[_Attempt] = deque()
        self.active: dict[Future, _Attempt] = {}

    def process(self, tasks: Sequence[Task], signals: Signals | None) -> None:
        self.waiting.extend(map(_Attempt, tasks))
        while self.waiting or self.active:
            self._submit()
            done, _ = wait(self.active, POLL_SECONDS, FIRST_COMPLETED)
            for future in done:
                self._settle(future, self.active.pop(future))
            if signals and signals.received is not None:
                return self._stop()
        return None

    def _submit(self) -> None:
        while self.waiting and len(self.active) < self.executor.slots:
            attempt = self.waiting.popleft()
            if not self.executor.here:
                self.observer.start_run(attempt.task.folder.name, 0, 1, 1)
            self.active[self.executor.submit(self.function, attempt.task)] = attempt

    def _settle(self, future: Future, attempt: _Attempt) -> None:
        try:
            found: TaskResult = future.result()
        except Exception as error:  # of the worker: exceptions of a run are in its result
            return self._retry_or_fail(attempt, error)
        if self.executor.here:  # the run itself has told the observer
            return None
        for message in found.warnings:
            self.observer.warn(message)
        if found.result:
            self.observer.finish_run(attempt.task.folder.name, found.result)
        return None

    def _retry_or_fail(self, attempt: _Attempt, error: Exception) -> None:
        folder, deaths = attempt.task.folder, attempt.deaths + 1
        why = str(error) if isinstance(error, WorkerDiedError) else one_line(error)
        if deaths < ATTEMPTS:
            self.observer.warn(f"{folder.name}: its worker died ({why}); the run is tried again")
            self.waiting.append(_Attempt(attempt.task, deaths))
            return
        message = f"its worker died {deaths} times: {why}"
        self.observer.finish_run(folder.name, fail(folder, message, f"{message}\n"))

    def _stop(self) -> None:
        self.observer.warn(f"stopping: {len(self.active)} active runs save a checkpoint first")
        self.executor.stop()
        wait(self.active)  # a second signal raises, and does not wait
