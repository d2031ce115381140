"""Runs the command in a process of its own, and kills it at a given moment."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

CONFIG = """
from resnet_jax.training import config as configs


def get_config():
    return configs.override(
        configs.base(),
        {
            "model.name": "resnet8",
            "data.name": "synthetic",
            "data.synthetic.num_train": 96,
            "data.synthetic.num_test": 40,
            "data.crop_padding": 1,
            "data.flip": True,
            "train.steps": 24,
            "train.batch_size": 32,
            "train.eval_batch_size": 8,
            "train.log_steps": 3,
            "train.eval_steps": 4,
            "train.checkpoint_steps": 4,
            "train.keep_checkpoints": 3,
            "train.ema_decay": 0.9,
        },
    )
"""

MAPPINGS = {
    "one device": ["--config.devices.count=1", "--config.train.accumulate=2"],
    "jit": ["--config.train.accumulate=2"],
    "pmap": ["--config.devices.mapping=pmap"],
    "own statistics": ["--config.devices.batch_stats=per_replica"],
}


def start(folder: Path, mapping: str, workdir: Path, cache: Path | None = None, more=()):
    """Starts training on eight virtual devices."""
    file = folder / "killed.py"
    file.write_text(CONFIG)
    environment = os.environ | {
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
    }
    if cache:
        environment["RESNET_JAX_CACHE"] = str(cache)
    command = ["train", "--config", str(file), "--workdir", str(workdir), *MAPPINGS[mapping]]
    return subprocess.Popen(
        [sys.executable, "-m", "resnet_jax.cli", *command, *more],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(folder: Path, mapping: str, workdir: Path) -> str:
    """Trains to the end, and returns what was printed."""
    process = start(folder, mapping, workdir)
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0, printed
    return printed


def kill_when(process, reached, timeout=120.0) -> bool:
    """Kills a process once a condition holds; False if it ended before."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and process.poll() is None:
        if reached():
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.001)
    process.communicate()
    return False


def wait_until(process, reached, timeout=120.0) -> None:
    """Waits until a condition holds while the process runs."""
    deadline = time.monotonic() + timeout
    while not reached():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.001)


def lines(workdir: Path) -> int:
    """Number of records written so far."""
    metrics = workdir / "metrics.jsonl"
    return metrics.read_bytes().count(b"\n") if metrics.exists() else 0


def is_writing(workdir: Path) -> bool:
    """Whether a checkpoint is being written."""
    return any((workdir / "checkpoints").glob("*tmp*"))


def checkpoint(workdir: Path, step: int) -> dict[str, np.ndarray]:
    """The arrays of a checkpoint, by path."""
    import jax

    from resnet_jax.training.devices.mapping import single_device
    from resnet_jax.training.run.checkpoints import Checkpoints
    from resnet_jax.training.run.run_folder import RunFolder
    from resnet_jax.training.run.session import Session

    session = Session(RunFolder(workdir).config(), single_device())
    with Checkpoints(workdir / "checkpoints", read_only=True) as checkpoints:
        state = checkpoints.restore_before(session.abstract_state(), step + 1)
    assert state is not None, f"no checkpoint up to step {step}"
    assert int(state.step) == step, f"the newest checkpoint is of step {int(state.step)}"
    as_numbers = lambda x: (
        jax.random.key_data(x) if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key) else x
    )
    return {
        jax.tree_util.keystr(path): np.asarray(as_numbers(leaf))
        for path, leaf in jax.tree_util.tree_leaves_with_path(state)
    }
