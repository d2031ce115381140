"""The engine, on real runs of a few steps."""

import csv
import json
import math
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
from ml_collections import ConfigDict

from resnet_jax import lab
from resnet_jax.errors import UserError
from resnet_jax.lab.design import grid
from resnet_jax.lab.reporting import report
from resnet_jax.lab.running import engine, worker
from resnet_jax.training import config as configs
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.session import load_dataset
from resnet_jax.training.step import state as states

BASE = """
from resnet_jax.training import config

def get_config():
    tiny = config.base()
    tiny.model.name = "resnet8"
    tiny.model.stage_sizes, tiny.model.widths = (1, 1), (8, 16)
    tiny.data.name = "synthetic"
    tiny.data.synthetic.num_train = 48
    tiny.data.synthetic.num_test = 20
    tiny.optimizer.learning_rate = 0.01
    tiny.train.steps = 4
    tiny.train.batch_size = 16
    tiny.train.eval_batch_size = 48
    tiny.train.log_steps = 2
    tiny.train.checkpoint_steps = 2
    return tiny
"""

TWINS = """
    axes={"family": ("plain", "resnet")},
    configure=lambda family: {"model.name": f"{family}8"},
    seeds=(0, 1, 2),
    claims=(
        claims.Greater("Plain trains worse", "train_error",
                     cell={"family": "plain"}, than={"family": "resnet"}),
    ),
"""


PLAIN_ONLY = """
    axes={"family": ("plain",)},
    configure=lambda family: {"model.name": f"{family}8"},
    seeds=(0, 1, 2),
"""


class Listener(Observer):
    """Notes the starts and ends of runs, and may interrupt one as Ctrl-C would."""

    def __init__(self, cut: tuple[int, int] | None = None):
        """Interrupts the run of that number (from 1) after that step."""
        self.grid, self.cut = None, cut
        self.began: list[tuple[str, int]] = []
        self.ended: dict[str, str] = {}
        self.warnings: list[str] = []

    def warn(self, message):
        self.warnings.append(message)

    def start_grid(self, runs, done):
        self.grid = runs, done

    def start_run(self, name, step, total, batch_size):
        self.began.append((name, step))

    def progress(self, step):
        if self.cut == (len(self.began), step):
            raise KeyboardInterrupt

    def finish_run(self, name, result):
        self.ended[name] = result.status


def write_experiment(folder: Path, body: str) -> lab.Experiment:
    """Writes an experiment's file and, in the folder above it, a base config; loads it."""
    base, file = folder / "configs" / "tiny.py", folder / "experiments" / "trial.py"
    for path in (base, file):
        path.parent.mkdir(exist_ok=True)
    base.write_text(BASE)
    file.write_text(
        "from resnet_jax.lab import Experiment, Until, claims\n\n"
        f'experiment = Experiment(question="Well?", base="configs/tiny.py",\n{body})\n'
    )
    return lab.load(file)


def run(experiment: lab.Experiment, results: Path, cut: tuple[int, int] | None = None) -> Listener:
    listener = Listener(cut)
    engine.run(experiment, results, "resnet-jax run trial.py", listener)
    return listener


def result(results: Path, name: str) -> dict:
    return json.loads((results / "trial" / "runs" / name / "result.json").read_text())


def names(experiment: lab.Experiment) -> list[str]:
    return [each.name for each in grid.expand(experiment)]


def records(results: Path, name: str) -> list[dict]:
    """The records of a run, without those that depend on the clock."""
    lines = (results / "trial" / "runs" / name / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) | {"images_per_second": None} for line in lines]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[lab.Experiment, Path, Listener]:
    """Plain and residual networks with three seeds each, run without interruption."""
    folder = tmp_path_factory.mktemp("whole")
    experiment = write_experiment(folder, TWINS)
    return experiment, folder / "results", run(experiment, folder / "results")


@pytest.fixture
def done(whole, tmp_path) -> tuple[lab.Experiment, Path]:
    """A copy of them that a test may change."""
    experiment, results, _ = whole
    return experiment, shutil.copytree(results, tmp_path / "results")


def test_every_run_of_the_grid_is_run_in_order(whole):
    experiment, results, listener = whole
    assert listener.grid == (6, 0)
    assert listener.began == [(name, 0) for name in names(experiment)]
    assert listener.ended == dict.fromkeys(names(experiment), "done")
    for name in names(experiment):
        assert result(results, name)["step"] == 4


def test_finished_runs_are_not_repeated(done):
    experiment, results = done
    before = {path: path.read_bytes() for path in results.rglob("runs/*/*") if path.is_file()}
    listener = run(experiment, results)
    assert (listener.grid, listener.began, listener.ended) == ((6, 6), [], {})
    assert {path: path.read_bytes() for path in before} == before


def test_finished_runs_of_other_code_are_kept_with_a_warning(done):
    experiment, results = done
    assert run(experiment, results).warnings == []
    assert report.read(results / "trial").warning == ""
    file = results / "trial" / "runs" / names(experiment)[4] / "environment.json"
    ran = json.loads(file.read_text())
    ran["code"]["models/shortcuts.py"] = "0" * 12
    file.write_text(json.dumps(ran))
    listener = run(experiment, results)
    assert listener.began == []
    (warning,) = listener.warnings
    assert "1 finished run had other code (models/shortcuts.py)" in warning
    assert str(results / "trial" / "runs") in warning
    told = report.build(results / "trial").warning
    assert "not all made by the same code: models/shortcuts.py" in told
    assert told in " ".join((results / "trial" / "report.html").read_text().split())


def test_only_a_removed_run_is_repeated_with_the_same_results(done):
    experiment, results = done
    removed = names(experiment)[4]
    before = result(results, removed)["final"], records(results, removed)
    shutil.rmtree(results / "trial" / "runs" / removed)
    listener = run(experiment, results)
    assert (listener.grid, listener.began) == ((6, 5), [(removed, 0)])
    assert (result(results, removed)["final"], records(results, removed)) == before


@pytest.mark.parametrize("step", [1, 3])
def test_an_interrupted_grid_resumes(whole, tmp_path, step):
    _, uncut, _ = whole
    experiment = write_experiment(tmp_path, PLAIN_ONLY)
    with pytest.raises(KeyboardInterrupt):
        run(experiment, tmp_path, cut=(2, step))
    listener = run(experiment, tmp_path)
    first, second, third = names(experiment)
    assert listener.grid == (3, 1)
    newest_checkpoint = 2 * (step // 2)
    assert listener.began == [(second, newest_checkpoint), (third, 0)]
    for name in (first, second, third):
        assert result(tmp_path, name)["final"] == result(uncut, name)["final"]
        assert records(tmp_path, name) == records(uncut, name)


def test_the_report_needs_the_records_alone(done):
    experiment, results = done  # moved: the base config lies in no folder above the results
    with pytest.raises(UserError, match="no such file"):
        grid.expand(lab.load(results / "trial" / "experiment.py"))
    assert report.build(results / "trial").complete
    with open(results / "trial" / "runs.csv") as file:
        rows = {row["run"]: row for row in csv.DictReader(file)}
    assert list(rows) == names(experiment)
    for name, row in rows.items():
        written = result(results, name)
        assert name.startswith(f"{row['family']}8-seed{row['seed']}-")
        assert (row["status"], int(row["steps"])) == ("done", 4)
        for measure in ("train_error", "test_error"):
            assert float(row[measure]) == written["final"][measure]
        assert float(row["seconds_total"]) == written["seconds"]["total"]


def test_the_verdict_is_that_of_the_pairs_of_the_records(done):
    experiment, results = done
    by_family = np.reshape(
        [result(results, name)["final"]["train_error"] for name in names(experiment)], (2, 3)
    )
    (verdict,) = report.build(results / "trial").verdicts
    assert verdict.n == 3
    assert verdict.estimate == pytest.approx(np.mean(by_family[0] - by_family[1]))


UNPREPARED = """
    axes={"data.name": ("synthetic", "fashion_mnist")},
"""

# A pattern that matches no site is known only once the network runs.
NO_SUCH_SITE = """
    seeds=(0, 1, 2),
    axes={"sites": ("none", "*")},
    configure=lambda sites: {"probe.sites": (sites,), "probe.steps": (0,)},
"""


def test_a_set_that_is_not_prepared_stops_the_grid_before_it_begins(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "nothing prepared"))
    experiment = write_experiment(tmp_path, UNPREPARED)
    with pytest.raises(UserError, match="resnet-jax data prepare fashion_mnist"):
        run(experiment, tmp_path)
    assert not (tmp_path / "trial").exists()


def test_a_run_that_fails_stops_no_other_and_is_tried_again(tmp_path):
    experiment = write_experiment(tmp_path, NO_SUCH_SITE)
    listener = run(experiment, tmp_path)
    failing, well = names(experiment)[:3], names(experiment)[3:]
    assert listener.ended == dict.fromkeys(failing, "failed") | dict.fromkeys(well, "done")
    for name in failing:
        assert "no site of the network matches 'none'" in result(tmp_path, name)["message"]
        error = (tmp_path / "trial" / "runs" / name / "error.txt").read_text()
        assert error.startswith("Traceback")
        assert "UserError" in error

    built = report.build(tmp_path / "trial")
    assert not built.complete
    assert list(built.records.runs["status"]) == 3 * ["failed"] + 3 * ["done"]
    assert list(built.table["failed"]) == [3, 0, 3, 0]
    assert list(built.table["n"]) == [0, 3, 0, 3]

    again = run(experiment, tmp_path)
    assert again.grid == (6, 3)
    assert again.ended == dict.fromkeys(failing, "failed")


def test_an_error_fails_only_its_own_run_which_is_tried_again(done, monkeypatch):
    experiment, results = done
    unlucky, other = names(experiment)[1:3]
    before = result(results, unlucky)["final"]
    for name in (unlucky, other):
        shutil.rmtree(results / "trial" / "runs" / name)
    train = worker.train

    def out_of_memory(config, path, observer):
        if path.name == unlucky:
            error = MemoryError("no room\nfor 3 arrays")
            error.add_note("JAX has removed its frames")
            raise error
        return train(config, path, observer)

    monkeypatch.setattr(worker, "train", out_of_memory)
    assert run(experiment, results).ended == {unlucky: "failed", other: "done"}
    assert result(results, unlucky)["message"] == "MemoryError: no room"
    assert not report.build(results / "trial").complete

    monkeypatch.setattr(worker, "train", train)
    assert run(experiment, results).ended == {unlucky: "done"}
    assert result(results, unlucky)["final"] == before
    assert report.build(results / "trial").complete


def test_compiled_programs_of_many_configs_are_cleared(tmp_path, monkeypatch):
    cleared = []
    monkeypatch.setattr(worker, "train", lambda *_: None)
    monkeypatch.setattr(jax, "clear_caches", lambda: cleared.append(True))
    monkeypatch.setattr(worker, "_compiled", set())
    base = write_experiment(tmp_path, TWINS)
    config = grid.expand(base)[0].config
    for seed in range(3 * worker.CONFIGS_KEPT):
        worker.perform(configs.override(config, {"seed": seed}), None, tmp_path, Observer())
    assert not cleared
    for number in range(worker.CONFIGS_KEPT):
        other = configs.override(config, {"model.epsilon": 1e-3 * (1 + number)})
        worker.perform(other, None, tmp_path, Observer())
    assert cleared == [True]


def test_a_run_that_succeeds_later_keeps_no_error_file(done, monkeypatch):
    experiment, results = done
    folder = results / "trial" / "runs" / names(experiment)[0]
    shutil.rmtree(folder)
    with monkeypatch.context() as patched:
        patched.setattr(worker, "train", lambda *_: 1 / 0)
        run(experiment, results)
    assert "ZeroDivisionError" in (folder / "error.txt").read_text()
    run(experiment, results)
    assert (folder / "result.json").exists()
    assert not (folder / "error.txt").exists()


DIVERGES = """
    seeds=(0, 1, 2),
    settings={"model.normalization": "none"},
    axes={"optimizer.learning_rate": (1e-3, 3e38)},
    diverged={"train_error": 90.0, "test_error": 91.0},
"""


def test_a_diverged_run_is_counted_and_not_tried_again(tmp_path):
    experiment = write_experiment(tmp_path, DIVERGES)
    listener = run(experiment, tmp_path)
    assert list(listener.ended.values()) == 3 * ["done"] + 3 * ["diverged"]
    assert run(experiment, tmp_path).began == []

    built = report.build(tmp_path / "trial")
    assert built.complete
    table = built.table.set_index(["optimizer.learning_rate", "measure"])
    assert list(table["diverged"]) == [0, 3, 0, 3]
    assert list(table["n"]) == [3, 3, 3, 3]
    assert table.loc[(3e38, "train_error"), "mean"] == 90
    assert table.loc[(3e38, "test_error"), "mean"] == 91


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('axes={"model.name": ("resnet8", "resnet21")}', "resnet20 and resnet26"),
        ('axes={"model.nam": ("resnet8",)}', "did you mean 'model.name'"),
        ('axes={"train.steps": (4, 4.5)}', "train.steps = 4.5 is a float; it takes an int"),
        ('axes={"optimizer.name": ("sgd", "adm")}', "optimizer.name = 'adm'.*did you mean 'adam'"),
        (
            'axes={"model.shortcut": ("A", "E")}',
            "model.shortcut='E': model setting shortcut='E' is unknown",
        ),
        ('axes={"model.survival": (0.5, 2.0)}', "model.survival=2.0: survival=2.0"),
    ],
)
def test_an_invalid_grid_is_one_error_before_anything_runs(tmp_path, body, message):
    experiment = write_experiment(tmp_path, body)
    listener = Listener()
    with pytest.raises(UserError, match=message) as raised:
        engine.run(experiment, tmp_path / "results", "", listener)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(f"{experiment.file}: ")  # and the cell
    assert (listener.grid, listener.began) == (None, [])
    assert not (tmp_path / "results").exists()


def test_runs_with_the_same_seed_see_the_same_batches(whole):
    experiment, _, _ = whole
    runs = {(each.axes["family"], each.seed): each.config for each in grid.expand(experiment)}
    seen = {}
    for of, config in runs.items():
        batches = [load_dataset(config).train_batch(step) for step in range(5)]
        seen[of] = np.concatenate([np.asarray(each["image"]) for each in batches])
    for seed in (0, 1, 2):
        np.testing.assert_array_equal(seen["plain", seed], seen["resnet", seed])
    assert not np.array_equal(seen["plain", 0], seen["plain", 1])


def test_runs_with_the_same_seed_start_from_the_same_weights(whole):
    experiment, _, _ = whole
    start = {
        (each.axes["family"], each.seed): states.create(each.config, load_dataset(each.config))
        for each in grid.expand(experiment)
    }
    for seed in (0, 1, 2):
        jax.tree.map(
            np.testing.assert_array_equal,
            start["plain", seed].params,
            start["resnet", seed].params,
        )
    kernels = [start["plain", seed].params["stem"]["conv"]["kernel"] for seed in (0, 1)]
    assert not np.array_equal(*kernels)


def test_workers_begin_with_different_cells():
    runs = [
        grid.Run(f"{cell}{seed}", {"cell": cell}, seed, ConfigDict())
        for cell, seeds in (("a", 2), ("b", 3), ("c", 2))
        for seed in range(seeds)
    ]

    def order(workers: float) -> str:
        return " ".join(run.name for run in engine.spread(runs, workers))

    assert order(1) == order(math.inf) == "a0 a1 b0 b1 b2 c0 c1"
    assert order(2) == "a0 b0 a1 b1 b2 c0 c1"
    assert order(3) == "a0 b0 c0 a1 b1 c1 b2"
