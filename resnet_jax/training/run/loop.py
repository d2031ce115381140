"""The training loop."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ml_collections import ConfigDict

from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.devices import determinism, distributed
from resnet_jax.training.run.checkpoints import Checkpoints, Progress
from resnet_jax.training.run.interruption import Interrupted, Signals
from resnet_jax.training.run.meter import NonFiniteLossError
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.profiler import Profiler
from resnet_jax.training.run.recorder import Recorder
from resnet_jax.training.run.run_folder import ReadOnlyFolder, Result, RunFolder
from resnet_jax.training.run.session import Session
from resnet_jax.training.step import precision
from resnet_jax.training.step.state import TrainState


def train(
    config: ConfigDict,
    workdir: str | Path,
    observer: Observer | None = None,
    profile: range = range(0),
) -> Result:
    """Trains a run to its end, from scratch or from its newest checkpoint.

    A finished run is left as it is. A resumed run ends bitwise as an uninterrupted one would have,
    on the same device.

    Args:
      config: the full config.
      workdir: the run's folder.
      observer: told of each event.
      profile: steps, counted from 1, of which a trace is written to the folder's `profile`.

    Returns:
      The run's result. A loss that is not finite ends the run as `diverged`, without an exception.

    Raises:
      UserError: the config or the data cannot be used, the folder holds another run or is in use,
        a file cannot be written, or no checkpoint can be read.
      Interrupted: the process got a signal to stop, and the run is saved.
    """
    configs.validate(config)
    if config.train.deterministic:
        determinism.require_deterministic()
    folder = RunFolder(workdir) if distributed.is_main_process() else ReadOnlyFolder(workdir)
    folder.refuse_other(config)
    if (result := folder.result()) and result.status != "failed":
        return result
    with precision.context(config):
        return _train(config, folder, observer or Observer(), profile)


def _train(config: ConfigDict, folder: RunFolder, observer: Observer, profile: range) -> Result:
    began = time.perf_counter()
    session = Session(config)  # first, so that an unusable config leaves no folder behind
    plan, keep = session.plan, config.train.keep_checkpoints
    with (
        _claimed(folder, config, observer),
        Checkpoints(folder.checkpoints, keep, observer) as checkpoints,
    ):
        state, earlier = _start(session, folder, checkpoints)
        recorder = Recorder(session, folder, observer, checkpoints, earlier, began)
        start = recorder.start(state)
        if plan.evaluates_after(start):  # interrupted, perhaps, between checkpoint and evaluation
            recorder.evaluate(state, start, "test")
        try:
            with Signals() as signals, Profiler(folder.path, profile) as profiler:
                for step, batch in session.batches(state):
                    profiler.before(step)
                    if plan.probes_in(step):
                        state, metrics, measured = session.probed_step(state, batch)
                        recorder.probe(measured, step)
                    else:
                        state, metrics = session.train_step(state, batch)
                    profiler.after(step, metrics)
                    recorder.step(metrics, step)
                    if plan.logs_after(step):
                        recorder.log(step)
                    if plan.checkpoints_after(step):
                        recorder.save(state, step)
                    if signal := signals.after(step):
                        recorder.save(state, step)
                        checkpoints.wait()
                        raise Interrupted(step, signal)
                    if plan.evaluates_after(step):
                        recorder.evaluate(state, step, "test")
        except NonFiniteLossError as error:
            return recorder.finish_diverged(error)
        return recorder.finish(state)


@contextmanager
def _claimed(folder: RunFolder, config: ConfigDict, observer: Observer) -> Iterator[None]:
    """Locks the folder for this config's run; the main process of a job does so for all."""
    failure = None
    with ExitStack() as stack:
        try:
            stack.enter_context(folder.locked(observer.warn))
            folder.refuse_other(config)
            folder.claim(config)
        except (UserError, OSError) as error:
            failure = error
        if not distributed.agree(failure is None):
            raise failure or UserError("the main process could not start: see its message")
        yield


def _start(
    session: Session, folder: RunFolder, checkpoints: Checkpoints
) -> tuple[TrainState, Progress]:
    """The state to start from, on the devices: the newest checkpoint, or else a fresh one."""
    if checkpoints.is_empty() or not (found := checkpoints.restore(session.abstract_state())):
        return session.fresh(), Progress()
    state, earlier = found
    if earlier.replicas != session.mapping.replicas:
        raise UserError(
            f"{folder.path} was trained with batch statistics of {earlier.replicas} devices of "
            f"their own, and here there are {session.mapping.replicas}, which would change the "
            "run: set devices.count, or train in another folder"
        )
    return session.mapping.place(state), earlier
