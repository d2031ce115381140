"""Jobs of several processes on this machine."""

import json
import os
import signal
import subprocess
import sys

import killing
import numpy as np
import pytest

from resnet_jax.cli import main

SLOW, LONG = pytest.mark.slow, pytest.mark.long
TWO = ["launch", "--processes", "2", "--cpu-devices", "2"]


def start(folder, workdir, before=(), more=()):
    (folder / "killed.py").write_text(killing.CONFIG)
    command = ["train", "--config", str(folder / "killed.py"), "--workdir", str(workdir), *more]
    return subprocess.Popen(
        [sys.executable, "-m", "resnet_jax.cli", *before, *command],
        env=os.environ
        | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_force_host_platform_device_count=4"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(*arguments, **more):
    process = start(*arguments, **more)
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0, printed
    return printed


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    finish(folder, folder / "run")
    return folder / "run"


@pytest.mark.parametrize(
    "mapping", [pytest.param("jit", marks=SLOW), pytest.param("pmap", marks=LONG)]
)
def test_two_processes_with_two_devices_agree_with_one_with_four(alone, tmp_path, mapping):
    workdir = tmp_path / "run"
    printed = finish(tmp_path, workdir, TWO, [f"--config.devices.mapping={mapping}"])
    assert printed.count(f"run: {workdir}") == 1  # by the main process
    ours, theirs = (killing.checkpoint(each, 24) for each in (workdir, alone))
    for path, value in ours.items():
        np.testing.assert_allclose(value, theirs[path], rtol=1e-2, atol=2e-3, err_msg=path)
    losses = [
        [json.loads(line)["loss"] for line in (each / "metrics.jsonl").read_text().splitlines()]
        for each in (workdir, alone)
    ]
    np.testing.assert_allclose(*losses, rtol=1e-2)
    np.testing.assert_allclose(losses[0][:2], losses[1][:2], rtol=1e-5)


@pytest.mark.slow
def test_a_job_ends_with_any_of_its_processes_and_is_resumed(tmp_path):
    workdir = tmp_path / "run"
    process = start(tmp_path, workdir, TWO)
    killing.wait_until(process, lambda: (workdir / "checkpoints" / "8").exists())
    found = subprocess.run(
        ["pgrep", "-f", f"workdir {workdir} .*--process-id 1"], capture_output=True, text=True
    )
    os.kill(int(found.stdout.split()[0]), signal.SIGKILL)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGKILL
    assert "process 1 of 2 was ended by SIGKILL; the others are stopped" in printed
    assert ", from step " in finish(tmp_path, workdir, TWO)


@pytest.mark.slow
def test_sigterm_lets_all_processes_save_at_one_step(tmp_path):
    workdir = tmp_path / "run"
    process = start(tmp_path, workdir, TWO, ["--config.train.steps=4000"])
    killing.wait_until(process, lambda: killing.lines(workdir) >= 3)
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 143, printed
    step = max(int(path.name) for path in (workdir / "checkpoints").iterdir())
    assert f"stopped and saved at step {step}" in printed


def test_a_job_that_cannot_be_connected_is_one_line(tmp_path, capsys):
    config = ["--config", "configs/smoke.py", "--workdir", str(tmp_path / "run")]
    assert main(["train", *config, "--distributed", "--processes", "2"]) == 2
    assert "go together" in capsys.readouterr().err
    assert main(["launch", "--processes", "2", "report"]) == 2
    assert "train --config" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
