"""Faults of disks, files and processes."""

import json
import os
import shutil
import signal
import subprocess
import sys

import killing
import numpy as np
import pytest

from resnet_jax.cli import main
from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.run.interruption import Signals
from resnet_jax.training.run.loop import train
from resnet_jax.training.run.meter import NonFiniteLossError
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.session import evaluate_run


class Warnings(Observer):
    def __init__(self):
        self.heard = []

    def warn(self, message):
        self.heard.append(message)


def largest_file(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return max(files, key=lambda path: path.stat().st_size)


def truncate(folder):
    file = largest_file(folder)
    os.truncate(file, file.stat().st_size // 2)


def flip_a_bit(folder):
    file = largest_file(folder)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def empty(folder):
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def lose_the_largest_file(folder):
    largest_file(folder).unlink()


DAMAGES = [truncate, flip_a_bit, empty, lose_the_largest_file]


@pytest.fixture
def cut(tiny, tmp_path):
    """A run with all its checkpoints (of steps 4 and 6) but without its result, and that result."""
    result = train(tiny, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    return tmp_path / "run", result


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_corrupt_checkpoint_is_quarantined_and_the_previous_one_used(tiny, cut, damage):
    workdir, result = cut
    before = killing.checkpoint(workdir, 6)
    damage(workdir / "checkpoints" / "6")
    warned = Warnings()
    again = train(tiny, workdir, warned)
    assert len(warned.heard) == 1
    assert "checkpoint 6 cannot be read" in warned.heard[0]
    assert (workdir / "checkpoints" / "damaged-6").is_dir()
    assert again.final == result.final
    for path, value in killing.checkpoint(workdir, 6).items():
        np.testing.assert_array_equal(value, before[path])


def test_a_run_without_a_readable_checkpoint_does_not_start_from_scratch(tiny, cut):
    workdir, _ = cut
    for step in ("4", "6"):
        truncate(workdir / "checkpoints" / step)
    for _ in range(2):
        with pytest.raises(UserError, match=r"none of the checkpoints .* can be read.* Remove"):
            train(tiny, workdir)
    with pytest.raises(UserError, match="none of the checkpoints"):
        evaluate_run(workdir)


def test_a_missing_checkpoint_is_made_again(tiny, cut):
    workdir, result = cut
    shutil.rmtree(workdir / "checkpoints" / "6")
    assert train(tiny, workdir).final == result.final
    assert (workdir / "checkpoints" / "6").is_dir()


HOLD = """
import sys, time
from resnet_jax.training.run.run_folder import RunFolder
with RunFolder(sys.argv[1]).locked(print):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_folder_is_locked_by_one_process_until_it_ends(tiny, tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(UserError, match=f"in use by process {holder.pid} of"):
        train(tiny, tmp_path)
    holder.kill()
    holder.wait()
    assert train(tiny, tmp_path).status == "done"


LIMITED = """
import resource, sys
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
from resnet_jax.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.slow
def test_a_checkpoint_that_cannot_be_written_is_one_line(tmp_path):
    workdir = tmp_path / "run"
    process = killing.start(tmp_path, "one device", workdir)
    assert killing.kill_when(process, lambda: (workdir / "checkpoints" / "4").exists())
    # The signal may come a checkpoint later.
    newest = max(
        int(step.name) for step in (workdir / "checkpoints").iterdir() if step.name.isdigit()
    )
    before = killing.checkpoint(workdir, newest)
    # Less than a checkpoint's largest file, and more than every other file in the folder.
    limit = largest_file(workdir / "checkpoints" / str(newest)).stat().st_size // 2
    command = ["train", "--config", str(tmp_path / "killed.py"), "--workdir", str(workdir)]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), *command, *killing.MAPPINGS["one device"]],
        capture_output=True,
        text=True,
        env=os.environ | {"JAX_PLATFORMS": "cpu", "RESNET_JAX_CACHE": str(tmp_path / "cache")},
        check=False,
    )
    assert done.returncode == 2, done.stderr
    message = [line for line in done.stderr.splitlines() if line.startswith("resnet-jax:")]
    assert len(message) == 1
    assert "a checkpoint could not be written" in message[0]
    assert f"the one of step {newest} is whole" in message[0]
    for path, value in killing.checkpoint(workdir, newest).items():
        np.testing.assert_array_equal(value, before[path])
    killing.finish(tmp_path, "one device", workdir)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2.5 MB, with room for two checkpoints but not for three."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2500k", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only an administrator may mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_leaves_the_last_checkpoint(tmp_path, small_disk):
    workdir = small_disk / "run"
    process = killing.start(tmp_path, "one device", workdir)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 2, printed
    assert "Traceback" not in printed
    assert "the disk is full" in printed
    whole = max(int(path.name) for path in (workdir / "checkpoints").iterdir())
    assert f"the one of step {whole} is whole. Make room" in " ".join(printed.split())
    assert killing.checkpoint(workdir, whole)
    # Once there is room, the same command resumes.
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    assert f"from step {whole}" in killing.finish(tmp_path, "one device", workdir)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.long),
    ],
)
def test_on_a_signal_a_run_saves_and_is_resumed_from_there(tmp_path, number, code):
    workdir, whole = tmp_path / "run", tmp_path / "whole"
    process = killing.start(tmp_path, "one device", workdir)
    killing.wait_until(process, lambda: killing.lines(workdir) >= 2)
    process.send_signal(number)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == code, printed
    step = max(int(path.name) for path in (workdir / "checkpoints").iterdir())
    assert f"stopped and saved at step {step}" in printed
    assert "Traceback" not in printed
    assert f"from step {step}" in killing.finish(tmp_path, "one device", workdir)
    killing.finish(tmp_path, "one device", whole)
    ours, theirs = (killing.checkpoint(each, 24) for each in (workdir, whole))
    for path, value in ours.items():
        np.testing.assert_array_equal(theirs[path], value, err_msg=path)
    kept = [
        [line for line in (each / "metrics.jsonl").read_text().splitlines() if "eval" not in line]
        for each in (workdir, whole)
    ]
    drop = lambda line: {k: v for k, v in json.loads(line).items() if k != "images_per_second"}
    assert [drop(line) for line in kept[0]] == [drop(line) for line in kept[1]]


def test_the_step_of_a_loss_that_is_not_finite_can_be_replayed(tiny, tmp_path, capsys):
    wild = configs.override(
        tiny,
        {
            "model.normalization": "none",
            "optimizer.learning_rate": 1e20,
            "optimizer.momentum": 0.0,
            "train.checkpoint_steps": 1,
        },
    )
    result = train(wild, tmp_path)
    assert result.status == "diverged"
    assert "--replay" in result.message
    assert main(["train", "--workdir", str(tmp_path), "--replay", str(result.step)]) == 0
    printed = capsys.readouterr().out
    assert f"step {result.step}, replayed from step {result.step - 1}" in printed
    found = json.loads((tmp_path / f"replay-{result.step}.json").read_text())
    assert len(found["examples"]) == 16
    assert "not finite:" in printed


@pytest.mark.slow
def test_a_run_resumes_under_another_mapping_and_number_of_devices(tmp_path):
    workdir = tmp_path / "run"
    all_of_them = ["--config.train.keep_checkpoints=9"]
    process = killing.start(tmp_path, "jit", workdir, more=all_of_them)
    assert killing.kill_when(process, lambda: (workdir / "checkpoints" / "8").exists())
    before = killing.checkpoint(workdir, 8)
    more = ["--config.devices.mapping=pmap", "--config.devices.count=4", *all_of_them]
    process = killing.start(tmp_path, "jit", workdir, more=more)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0, printed
    assert "from step 8" in printed
    after = killing.checkpoint(workdir, 8)
    for path, value in after.items():
        np.testing.assert_array_equal(value, before[path])


def signalled(error):
    """Raises an error, or none, in a block during which a signal arrives."""
    with Signals():
        os.kill(os.getpid(), signal.SIGTERM)
        if error:
            raise error


@pytest.mark.parametrize("error", [None, NonFiniteLossError(3, 0.1, None)])
def test_a_signal_in_the_last_step_still_stops_the_process(error):
    with pytest.raises(KeyboardInterrupt) as raised:
        signalled(error)
    assert raised.value.code == 143


def test_another_error_is_not_hidden_by_a_signal():
    with pytest.raises(UserError, match="full"):
        signalled(UserError("the disk is full"))
