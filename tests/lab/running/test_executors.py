"""Executors: equal results on each of them, and workers that die."""

import doctest
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from resnet_jax import lab
from resnet_jax.errors import UserError
from resnet_jax.lab.design import grid
from resnet_jax.lab.running import engine
from resnet_jax.lab.running.executors import EXECUTORS, Here, WorkerDiedError, processes
from resnet_jax.lab.running.executors.processes import Process, Processes, visible_gpus
from resnet_jax.training.run.observer import Observer

STUDY = """
import os
import signal

from resnet_jax.lab import Experiment
from resnet_jax.lab.study import Findings, Study


def measure(config, path):
    log = path / "tries"
    tries = len(log.read_text()) if log.exists() else 0
    log.write_text("x" * (tries + 1))
    if tries < config.deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    if config.deaths < 0:
        raise ValueError("no such luck")
    found = config.seed + 10.0 * config.deaths
    return Findings({"loss": found}, [{"kind": "study", "step": 0, "loss": found}])


experiment = Experiment(
    question="Who dies?",
    study=Study(measure, {"deaths": 0}),
    axes={"deaths": DEATHS},
    seeds=(0, 1),
    measures=("loss",),
    scales={"paper": {"seeds": (0, 1, 2)}},
)
"""


class Listener(Observer):
    def __init__(self):
        self.began, self.ended, self.warned = [], {}, []

    def start_run(self, name, step, total, batch_size):
        self.began.append(name)

    def finish_run(self, name, result):
        self.ended[name] = result.status

    def warn(self, message):
        self.warned.append(message)


def study(folder: Path, deaths: tuple[int, ...]) -> lab.Experiment:
    """An experiment whose runs kill their worker `deaths` times before they are done."""
    (folder / "who.py").write_text(STUDY.replace("DEATHS", repr(deaths)))
    return lab.load(folder / "who.py")


def run(experiment, results, executor) -> Listener:
    listener = Listener()
    engine.run(experiment, results, "", listener, executor=executor)
    return listener


def finals(results: Path, experiment) -> dict[str, dict]:
    """The final measures of each run, by its name."""
    return {
        each.name: json.loads(
            (results / experiment.results_name / "runs" / each.name / "result.json").read_text()
        )["final"]
        for each in grid.expand(experiment)
    }


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of two processes on this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as running:
        yield running.scheduler_address


def on(kind: str, request, tmp_path: Path):
    """An executor with two workers."""
    if kind == "dask":
        return EXECUTORS["dask"](request.getfixturevalue("cluster"))
    if kind == "slurm":
        pytest.importorskip("submitit")
        return EXECUTORS["slurm"](tmp_path / "slurm", {"timeout_min": 5}, cluster="local")
    return EXECUTORS[kind]()


SLOW = {"marks": pytest.mark.slow}  # starts several processes that import JAX
LONG = {"marks": pytest.mark.long}  # a kind or signal beside the one that stands for all


@pytest.mark.parametrize(
    "kind", ["here", "processes", pytest.param("dask", **SLOW), pytest.param("slurm", **SLOW)]
)
def test_results_do_not_depend_on_the_executor(kind, request, tmp_path):
    experiment = study(tmp_path, (0,)).at_scale("paper")
    names = [each.name for each in grid.expand(experiment)]
    listener = run(experiment, tmp_path / "results", on(kind, request, tmp_path))
    assert sorted(listener.began) == sorted(names)
    assert listener.ended == dict.fromkeys(names, "done")
    found = finals(tmp_path / "results", experiment)
    assert found == {name: {"loss": seed} for seed, name in enumerate(names)}
    assert listener.warned == []


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("processes", **SLOW),
        pytest.param("dask", **LONG),
        pytest.param("slurm", **LONG),
    ],
)
def test_a_run_whose_worker_dies_is_tried_once_more_and_then_failed(kind, request, tmp_path):
    experiment = study(tmp_path, (0, 1, 9))
    listener = run(experiment, tmp_path / "results", on(kind, request, tmp_path))
    well, once, always = (
        [each.name for each in grid.expand(experiment) if each.axes["deaths"] == deaths]
        for deaths in (0, 1, 9)
    )
    assert listener.ended == dict.fromkeys(well + once, "done") | dict.fromkeys(always, "failed")
    assert len(listener.warned) == 4
    assert all("its worker died" in each for each in listener.warned)
    assert sorted(listener.began) == sorted(well + 2 * once + 2 * always)
    for name in always:
        folder = tmp_path / "results" / "who" / "runs" / name
        result = json.loads((folder / "result.json").read_text())
        assert result["message"].startswith("its worker died 2 times: ")
        assert (folder / "error.txt").exists()
        assert kind == "slurm" or result["message"].endswith(": ended by SIGKILL")


class Mortal(Here):
    """Executes in this process what workers do, and dies before the runs of given indices."""

    here = False

    def __init__(self, *deaths: int):
        self.calls, self.deaths = 0, deaths

    def submit(self, function, argument):
        self.calls += 1
        if self.calls - 1 not in self.deaths:
            return super().submit(function, argument)
        future = Future()
        future.set_exception(WorkerDiedError("ended by SIGKILL"))
        return future


def test_the_run_of_a_dead_worker_goes_back_into_the_queue_once(tmp_path):
    experiment = study(tmp_path, (0,)).at_scale("paper")
    first, second, third = (each.name for each in grid.expand(experiment))
    listener = run(experiment, tmp_path / "results", Mortal(0, 1, 4))
    assert listener.began == [first, second, third, first, second]
    assert listener.ended == {first: "done", second: "failed", third: "done"}
    assert [each.partition(":")[0] for each in listener.warned] == [first, second]
    folder = tmp_path / "results" / "who-paper" / "runs" / second
    result = json.loads((folder / "result.json").read_text())
    assert "2 times: ended by SIGKILL" in result["message"]
    assert (folder / "error.txt").exists()


def test_an_exception_fails_its_run_and_not_the_worker(tmp_path):
    experiment = study(tmp_path, (-1, 0))
    listener = run(experiment, tmp_path / "results", Mortal())
    assert list(listener.ended.values()).count("failed") == 2
    assert listener.warned == []
    (name, *_) = (each.name for each in grid.expand(experiment))
    result = json.loads((tmp_path / "results/who/runs" / name / "result.json").read_text())
    assert result["message"] == "ValueError: no such luck"


BASE = """
from resnet_jax.training import config

def get_config():
    tiny = config.base()
    tiny.model.name = "resnet8"
    tiny.data.name = "synthetic"
    tiny.data.synthetic.num_train = 48
    tiny.data.synthetic.num_test = 20
    tiny.optimizer.learning_rate = 0.01
    tiny.train.steps = STEPS
    tiny.train.batch_size = 16
    tiny.train.eval_batch_size = 48
    return tiny
"""

TRAINING = """
from resnet_jax.lab import Experiment

experiment = Experiment(question="Well?", base="tiny.py", seeds=(0, 1))
"""


def training(folder: Path, steps: int) -> lab.Experiment:
    (folder / "tiny.py").write_text(BASE.replace("STEPS", str(steps)))
    (folder / "trial.py").write_text(TRAINING)
    return lab.load(folder / "trial.py")


@pytest.mark.parametrize("kind", [pytest.param("processes", **SLOW), pytest.param("dask", **LONG)])
def test_training_in_another_process_has_the_same_results(kind, request, tmp_path):
    experiment = training(tmp_path, steps=3)
    run(experiment, tmp_path / "here", EXECUTORS["here"]())
    there = run(experiment, tmp_path / "there", on(kind, request, tmp_path))
    assert list(there.ended.values()) == ["done", "done"], there.warned
    assert finals(tmp_path / "there", experiment) == finals(tmp_path / "here", experiment)


def _until(condition, seconds: float = 120.0) -> None:
    """Waits for something that another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        pytest.param("processes", signal.SIGINT, **SLOW),
        pytest.param("processes", signal.SIGTERM, **LONG),
        pytest.param("dask", signal.SIGINT, **LONG),
    ],
)
def test_on_a_signal_all_workers_save_and_end(kind, number, request, tmp_path):
    training(tmp_path, steps=1_000_000)
    where = ["--workers", "2"]
    if kind == "dask":
        where = ["--dask", request.getfixturevalue("cluster")]
    command = [sys.executable, "-m", "resnet_jax.cli", "run", "trial.py", *where]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    runs = tmp_path / "results" / "trial" / "runs"
    try:
        _until(lambda: len([*runs.glob("*/metrics.jsonl")]) == 2)  # both train
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 128 + number, err
    assert "same command" in err
    assert "Traceback" not in err
    assert "stopping: 2 active runs" in out
    assert len([*runs.glob("*/checkpoints/*")]) == 2
    assert not [*runs.glob("*/result.json")]


def test_each_process_has_a_gpu_of_its_own():
    def share(workers, names, **environ):
        return [processes.gpu_environment(each, workers, names, environ) for each in range(workers)]

    assert share(2, []) == [{}, {}]
    assert share(2, ["0", "1", "2"]) == [
        {"CUDA_VISIBLE_DEVICES": "0"},
        {"CUDA_VISIBLE_DEVICES": "1"},
    ]
    three = share(3, ["4", "7"])
    assert [each["CUDA_VISIBLE_DEVICES"] for each in three] == ["4", "7", "4"]
    assert [each.get("XLA_PYTHON_CLIENT_MEM_FRACTION") for each in three] == ["0.45", None, "0.45"]
    (_, second) = share(2, ["0"], XLA_PYTHON_CLIENT_MEM_FRACTION="0.3")
    assert second == {"CUDA_VISIBLE_DEVICES": "0"}


def test_the_gpus_that_the_user_selected_are_used():
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "2, 5"}) == ["2", "5"]
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}) == []


def test_a_process_has_its_environment_and_is_reused():
    process = Process({"COLOUR": "red"})
    try:
        assert process.call(os.getenv, "COLOUR") == "red"
        numbers = [process.call(eval, "__import__('os').getpid()") for _ in range(2)]
    finally:
        process.end()
    assert numbers[0] == numbers[1] != os.getpid()


def test_a_process_that_dies_says_how_and_the_next_call_starts_another():
    process = Process()
    try:
        with pytest.raises(WorkerDiedError, match="ended with code 3"):
            process.call(os._exit, 3)
        with pytest.raises(WorkerDiedError, match="ended by SIGKILL"):
            process.call(eval, "__import__('os').kill(__import__('os').getpid(), 9)")
        with pytest.raises(WorkerDiedError, match="ZeroDivisionError"):
            process.call(eval, "1 / 0")
        assert process.call(abs, -2) == 2
    finally:
        process.end()


def test_with_a_process_dies_only_its_own_run():
    with Processes(2) as executor:
        dying = executor.submit(os._exit, 3)
        well = [executor.submit(abs, -each) for each in range(4)]
        assert [each.result(60) for each in well] == [0, 1, 2, 3]
        assert isinstance(dying.exception(60), WorkerDiedError)


def test_a_process_ends_with_its_parent():
    process = Process()
    number = process.call(eval, "__import__('os').getpid()")
    assert process._pipe is not None
    process._pipe.close()  # as when the parent is killed
    assert process._process is not None
    assert process._process.wait(60) is not None
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


@pytest.mark.parametrize(
    ("kind", "module", "arguments", "message"),
    [
        ("dask", "distributed", ("tcp://nowhere:1",), r"pip install -e '\.\[dask\]'"),
        ("slurm", "submitit", (Path("x"), {}), r"pip install -e '\.\[slurm\]'"),
    ],
)
def test_a_missing_extra_is_one_line(kind, module, arguments, message, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=message):
        EXECUTORS[kind](*arguments)


def test_an_unknown_slurm_option_is_one_line(tmp_path):
    pytest.importorskip("submitit")
    with pytest.raises(UserError, match=r"--slurm-option: .*colour"):
        EXECUTORS["slurm"](tmp_path, {"local_colour": "red"}, cluster="local")


def test_a_machine_without_slurm_is_one_line(tmp_path, monkeypatch):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"--slurm: .*srun.*sbatch"):
        EXECUTORS["slurm"](tmp_path, {})


def test_an_address_without_a_scheduler_is_one_line(monkeypatch):
    pytest.importorskip("distributed")
    from resnet_jax.lab.running.executors import dask

    monkeypatch.setattr(dask, "CONNECT_SECONDS", 1)
    with pytest.raises(UserError, match="no scheduler answers there"):
        EXECUTORS["dask"]("tcp://127.0.0.1:9")


@pytest.mark.parametrize("address", ["foo", "tcp://nowhere", ":"])
def test_an_invalid_address_makes_no_client(monkeypatch, address):
    distributed = pytest.importorskip("distributed")
    made = []
    monkeypatch.setattr(distributed, "Client", lambda *args, **options: made.append(args))
    with pytest.raises(UserError, match=r"--dask .*: no scheduler answers there"):
        EXECUTORS["dask"](address)
    assert not made


def test_its_examples_hold():
    ran = doctest.testmod(processes)
    assert ran.failed == 0
    assert ran.attempted > 0
