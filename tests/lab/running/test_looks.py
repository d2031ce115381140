"""Seeds that are added at looks, on real runs of a few steps."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab import Until, claims
from resnet_jax.lab.reporting import report
from resnet_jax.lab.results import records
from resnet_jax.lab.results.folder import read_experiment, read_plan
from resnet_jax.lab.running import engine, looks
from tests.lab.running.test_engine import Listener, write_experiment

TWO_CLAIMS = """
    axes={"family": ("plain", "resnet")},
    configure=lambda family: {"model.name": f"{family}8"},
    seeds=Until((2, 3, 4)),
    claims=(
        claims.Within("open", "train_error", {"family": "plain"}, low=0.0, high=50.0),
        claims.Within("decided", "train_error", {"family": "resnet"}, low=0.0, high=100.0),
    ),
"""


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keeps the claims of this list open, whatever the runs say."""
    still_open = ["open"]
    monkeypatch.setattr(
        claims, "worth_more_seeds", lambda verdict, looks: verdict.text in still_open
    )
    return still_open


@pytest.fixture
def experiment(tmp_path: Path):
    return write_experiment(tmp_path, TWO_CLAIMS)


def run(experiment, results: Path, **options) -> tuple[Listener, list[str]]:
    listener, lines = Listener(), []
    engine.run(experiment, results, "run trial.py", listener, tell=lines.append, **options)
    return listener, lines


def seeds(folder) -> dict[str, list[int]]:
    runs = read_plan(folder).runs
    return {
        family: [run.seed for run in runs if run.axes["family"] == family]
        for family in ("plain", "resnet")
    }


def test_only_cells_of_open_claims_get_seeds_up_to_the_last_look(
    experiment, verdicts, tmp_path: Path
):
    listener, lines = run(experiment, tmp_path / "results")
    folder = engine.Folder(tmp_path / "results" / "trial")
    assert seeds(folder) == {"plain": [0, 1, 2, 3], "resnet": [0, 1]}
    assert len(listener.ended) == 6
    assert set(listener.ended.values()) == {"done"}
    assert len(lines) == 2
    assert read_experiment(folder).looks == (2, 3, 4)
    assert "0, 1, 2, 3" in report.build(folder.path).folder.report.read_text()

    listener, lines = run(experiment, tmp_path / "results")  # nothing is left to do
    assert (listener.began, lines) == ([], [])
    assert seeds(folder) == {"plain": [0, 1, 2, 3], "resnet": [0, 1]}


def test_an_interrupted_look_is_finished_and_decided_claims_stop(
    experiment, verdicts, tmp_path: Path
):
    results = tmp_path / "results"
    with pytest.raises(KeyboardInterrupt):
        engine.run(experiment, results, "run trial.py", Listener(cut=(5, 3)))
    folder = engine.Folder(results / "trial")
    assert seeds(folder) == {"plain": [0, 1, 2], "resnet": [0, 1]}
    verdicts.clear()  # the third seed decides
    listener, _ = run(experiment, results)
    assert [step for _, step in listener.began] == [2]  # from its checkpoint
    assert seeds(folder) == {"plain": [0, 1, 2], "resnet": [0, 1]}


def test_no_look_is_begun_that_would_end_after_the_budget(experiment, verdicts, tmp_path: Path):
    _, lines = run(experiment, tmp_path / "results", budget=1e-3)
    assert seeds(engine.Folder(tmp_path / "results" / "trial")) == {
        "plain": [0, 1],
        "resnet": [0, 1],
    }
    assert len(lines) == 1
    assert "budget" in lines[0]


def test_a_corrupt_plan_says_what_to_remove(experiment, verdicts, tmp_path: Path):
    folder = engine.Folder(tmp_path / "results" / "trial")
    folder.path.mkdir(parents=True)
    folder.plan.write_text("{")
    with pytest.raises(UserError, match=r"experiment\.json.*remove it"):
        run(experiment, tmp_path / "results")
    folder.plan.unlink()
    run(experiment, tmp_path / "results", budget=1e-3)
    assert seeds(folder) == {"plain": [0, 1], "resnet": [0, 1]}


def test_a_claim_waits_until_all_runs_of_its_cells_have_ended(experiment, verdicts, tmp_path: Path):
    results = tmp_path / "results"
    run(experiment, results, only={"family": ["resnet"]})
    folder = engine.Folder(results / "trial")
    assert seeds(folder) == {"plain": [0, 1], "resnet": [0, 1]}
    plan = json.loads(folder.plan.read_text())
    assert plan["looks"] == [2, 3, 4]
    assert plan["registration"]["looks"] == [2, 3, 4]


def test_a_claim_about_a_cell_without_runs_asks_for_no_seeds(results, monkeypatch):
    """`configure` may leave out a cell of a claim; the engine would go on for ever."""
    monkeypatch.setattr(claims, "worth_more_seeds", lambda verdict, looks: True)
    found = records.read(results)
    found = replace(found, experiment=replace(found.experiment, seeds=Until((3, 5))))
    asked = [dict(key) for key in looks.more_seeds(found)]
    assert {"family": "plain", "depth": 20} in asked
    assert {"family": "resnet", "depth": 20} in asked
    without = found.runs.query("not (family == 'plain' and depth == 56)")
    asked = [dict(key) for key in looks.more_seeds(replace(found, runs=without))]
    assert asked == [{"family": "resnet", "depth": depth} for depth in (56, 20)]
