"""An experiment that tunes settings, from its file to its final runs.

The runs are made up (their error is a function of the learning rate), but for one test.
"""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_jax import lab
from resnet_jax.errors import UserError
from resnet_jax.lab.design import grid
from resnet_jax.lab.design.tuning import tuning_runs
from resnet_jax.lab.reporting import report
from resnet_jax.lab.results import records
from resnet_jax.lab.results.folder import Folder, read_plan
from resnet_jax.lab.running import dispatch, engine, forecast
from resnet_jax.training.run.observer import Observer
from resnet_jax.training.run.run_folder import Result, RunFolder

ROOT = Path(__file__).parents[3]
RATE = "optimizer.learning_rate"
BEST = {"plain": 0.003, "resnet": 0.03}

EXPERIMENT = """
from resnet_jax.lab import Experiment, Times, Until, claims

experiment = Experiment(
    question="Well?",
    base="digits.py",
    axes={"family": ("plain", "resnet")},
    configure=lambda family: {"model.name": f"{family}8"},
    seeds=(0, 1, 2),
    claims=(
        claims.Greater("Plain trains worse", "train_error", margin=1.0,
                       cell={"family": "plain"}, than={"family": "resnet"}),
    ),
    scales={"tuned": {"tune": {"optimizer.learning_rate": (0.003, 0.01, 0.03, 0.1)}}},
)
"""


@pytest.fixture
def experiment(tmp_path: Path) -> lab.Experiment:
    (tmp_path / "digits.py").write_text((ROOT / "configs" / "digits.py").read_text())
    (tmp_path / "trial.py").write_text(EXPERIMENT)
    return lab.load(tmp_path / "trial.py").at_scale("tuned")


@pytest.fixture
def ran(monkeypatch) -> list:
    """Configs of the made-up runs in their order; the error grows with the distance to `BEST`."""
    ran: list = []

    def perform(config, study, path, observer):
        ran.append(config)
        family = config.model.name.removesuffix("8")
        error = 20 * abs(math.log10(config.optimizer.learning_rate / BEST[family]))
        error += {"plain": 3.0, "resnet": 0.5}[family] + 0.1 * (config.seed % 7)
        folder = RunFolder(path)
        folder.claim(config)
        for split in ("train", "test"):
            folder.append({"kind": "eval", "step": 2, "split": split, "error": error, "loss": 1.0})
        final = {"train_error": error, "test_error": error, "train_loss": 1.0, "test_loss": 1.0}
        result = folder.finish(Result("done", "", 2, {"total": 1.0}, final))
        observer.finish_run(path.name, result)
        return result

    monkeypatch.setattr(dispatch, "perform", perform)
    return ran


class Warnings(Observer):
    def __init__(self) -> None:
        self.grids: list[tuple[int, int]] = []

    def start_grid(self, runs, done):
        self.grids.append((runs, done))


def run(experiment, results: Path, **options) -> tuple[Folder, list[str], Warnings]:
    lines: list[str] = []
    observer = Warnings()
    folder = engine.run(experiment, results, "run", observer, tell=lines.append, **options)
    assert RATE in lines[0]  # what the first runs are for
    return folder, lines[1:], observer


def test_final_runs_have_the_best_rate_of_their_cell(experiment, ran, tmp_path):
    _, lines, observer = run(experiment, tmp_path / "results")
    tried, final = ran[:16], ran[16:]
    assert [(c.model.name, c.optimizer.learning_rate, c.seed) for c in tried] == [
        (f"{family}8", rate, seed)
        for family in ("plain", "resnet")
        for rate in (0.003, 0.01, 0.03, 0.1)
        for seed in (1000, 1001)
    ]
    assert {(c.data.train_split, c.data.test_split) for c in tried} == {
        ("train[:90%]", "train[90%:]")
    }
    assert [(c.model.name, c.optimizer.learning_rate, c.seed) for c in final] == [
        (f"{family}8", BEST[family], seed) for family in BEST for seed in (0, 1, 2)
    ]
    assert {(c.data.train_split, c.data.test_split) for c in final} == {("", "")}
    assert observer.grids == [(16, 0), (6, 0)]
    plain, resnet = lines
    assert "family=plain" in plain
    assert f"{RATE}=0.003" in plain
    assert "edge" in plain
    assert f"{RATE}=0.03" in resnet
    assert "edge" not in resnet
    # (1000 + 1001) / 2 are 6 and 0 modulo 7: the mean adds 0.3.
    assert "3.3%" in plain
    assert "0.8%" in resnet


def test_tuning_runs_are_in_the_plan_and_in_no_table(experiment, ran, tmp_path):
    folder, _, _ = run(experiment, tmp_path / "results")
    plan, found = read_plan(folder), records.read(folder)
    assert [(each.name, each.settings) for each in plan.tuning] == [
        (each.name, each.settings) for each in tuning_runs(experiment)
    ]
    assert (len(plan.runs), len(found.runs), found.unplanned) == (6, 6, 0)
    assert set(found.runs["seed"]) == {0, 1, 2}
    assert set(found.runs["status"]) == {"done"}
    assert set(found.metrics["run"]) == {each.name for each in plan.runs}
    assert plan.seeds == (0, 1, 2)
    assert len(list(folder.runs.iterdir())) == 22
    assert plan.registration["tuned settings"] == [f"{RATE} (0.003, 0.01, 0.03, 0.1)"]


def test_what_has_ended_is_not_repeated(experiment, ran, tmp_path):
    run(experiment, tmp_path / "results")
    del ran[:]
    folder, lines, observer = run(experiment, tmp_path / "results")
    assert (ran, observer.grids, len(lines)) == ([], [(16, 16), (6, 6)], 2)
    (name,) = [each.name for each in read_plan(folder).tuning[:1]]
    (folder.runs / name / "result.json").unlink()
    run(experiment, tmp_path / "results")
    assert [config.seed for config in ran] == [1000]


def test_a_part_of_the_grid_is_tuned_and_run_by_itself(experiment, ran, tmp_path):
    folder, lines, _ = run(experiment, tmp_path / "results", only={"family": ["resnet"]})
    assert {config.model.name for config in ran} == {"resnet8"}
    assert (len(ran), len(lines)) == (8 + 3, 1)
    runs = records.read(folder).runs
    assert runs.groupby("family")["status"].agg(set).to_dict() == {
        "plain": {"missing"},
        "resnet": {"done"},
    }
    del ran[:]
    run(experiment, tmp_path / "results", only={"family": ["plain"]})
    assert {config.model.name for config in ran} == {"plain8"}
    assert set(records.read(folder).runs["status"]) == {"done"}  # the other part's too


def test_a_cell_with_a_failed_tuning_run_waits(experiment, ran, monkeypatch, tmp_path):
    made_up = dispatch.perform

    def failing(config, study, path, observer):
        if (config.model.name, config.seed) == ("plain8", 1001):
            result = RunFolder(path)
            path.mkdir(parents=True, exist_ok=True)
            return result.finish(Result("failed", "out of memory", 0))
        return made_up(config, study, path, observer)

    monkeypatch.setattr(dispatch, "perform", failing)
    folder, lines, _ = run(experiment, tmp_path / "results")
    assert "4 tuning runs" in lines[0]
    status = records.read(folder).runs.groupby("family")["status"].agg(set).to_dict()
    assert status == {"plain": {"missing"}, "resnet": {"done"}}
    monkeypatch.setattr(dispatch, "perform", made_up)
    run(experiment, tmp_path / "results")  # tries the failed ones again
    assert set(records.read(folder).runs["status"]) == {"done"}


def test_seeds_added_at_looks_have_the_chosen_settings(experiment, ran, tmp_path):
    # A margin at the true difference leaves the claim open at every look.
    (claim,) = experiment.claims
    text = EXPERIMENT.replace("seeds=(0, 1, 2)", "seeds=Until((3, 5))").replace(
        "margin=1.0", "margin=2.5"
    )
    experiment.file.write_text(text)
    looking = lab.load(experiment.file).at_scale("tuned")
    folder, _, _ = run(looking, tmp_path / "results")
    assert len(ran) == 16 + 2 * 5
    for config in ran[16:]:
        assert config.optimizer.learning_rate == BEST[config.model.name.removesuffix("8")]
    assert len(read_plan(folder).tuning) == 16
    assert claim.text in {each.text for each in report.read(folder.path).verdicts}


def test_errors_are_raised_before_any_run(experiment, ran, tmp_path):
    bad = replace(experiment, tune={RATE: (0.1, 0.2), "model.width": (1, 2)})
    with pytest.raises(UserError, match=r"model\.width"):
        run(bad, tmp_path / "results")
    bad = replace(experiment, tune={"data.name": ("digits", "no_such_set")})
    with pytest.raises(UserError, match="no_such_set"):
        run(bad, tmp_path / "results")
    assert ran == []


def test_the_forecast_counts_tuning_runs(experiment, ran, monkeypatch, tmp_path):
    monkeypatch.setattr(forecast, "time_step", lambda cost: None)
    found = forecast.forecast(experiment, tmp_path / "results", {"family": ["plain"]})
    assert (found.runs, found.tuning) == (6, 16)
    assert (found.chosen, found.done) == (3 + 8, 0)
    assert [(cost.network, cost.runs) for cost in found.costs] == [
        ("plain8, tuning", 8),
        ("plain8", 3),
    ]
    run(experiment, tmp_path / "results", only={"family": ["plain"]})
    again = forecast.forecast(experiment, tmp_path / "results")
    assert (again.chosen, again.done) == (22, 11)


REAL = """
from resnet_jax.lab import Experiment

experiment = Experiment(
    question="Well?",
    base="digits.py",
    settings={"train.steps": 2, "schedule.warmup_steps": 0, "model.name": "plain8",
              "model.stage_sizes": (1,), "model.widths": (4,)},
    seeds=(0,),
    tune={"optimizer.learning_rate": (1e-4, 0.3)},
    tuning_seeds=(7,),
)
"""


@pytest.mark.slow  # compiles
def test_real_runs_are_tuned(experiment, tmp_path):
    """Two tuning runs and a final one, of two steps each."""
    experiment.file.write_text(REAL)
    folder, _, _ = run(lab.load(experiment.file), tmp_path / "results")
    plan, errors = read_plan(folder), {}
    for each in plan.tuning:
        result = json.loads((folder.runs / each.name / "result.json").read_text())
        errors[each.settings[RATE]] = result["final"]["test_error"]
    mistakes = [error * 144 / 100 for error in errors.values()]  # of 144 images of 1,437
    assert mistakes == pytest.approx([round(each) for each in mistakes])
    (final,) = [RunFolder(folder.runs / each.name) for each in plan.runs]
    assert final.config().optimizer.learning_rate == min(errors, key=errors.get)
    assert final.result().status == "done"
    assert grid.run_name(final.config()) == plan.runs[0].name
