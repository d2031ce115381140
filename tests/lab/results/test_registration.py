"""What is fixed before the first run, and the list of what was changed since."""

import hashlib
import json
import math
import re
from dataclasses import replace
from pathlib import Path

from resnet_jax.lab import Until, claims
from resnet_jax.lab.design import experiment as experiments
from resnet_jax.lab.results import registration
from resnet_jax.lab.results.folder import Folder, read_plan, write_plan
from resnet_jax.training.run import environment


def changed(experiment, at: int, **fields):
    """The experiment with one of its claims changed."""
    made = list(experiment.claims)
    made[at] = replace(made[at], **fields)
    return replace(experiment, claims=tuple(made))


def again(results: Folder, experiment) -> list[str]:
    """The departures after the experiment is planned once more."""
    write_plan(results, experiment, [], "resnet-jax run again.py")
    return [text for _, text in read_plan(results).departures]


def test_the_first_plan_registers_claims_measures_looks_and_code(results: Folder):
    found = read_plan(results).registration
    claim = found["claims"]["Deeper plain networks train worse"]
    assert (claim["type"], claim["margin"], claim["measure"]) == ("Greater", 1.0, "train_error")
    assert claim["cell"] == {"family": "plain", "depth": 56}
    assert (found["measures"], found["looks"]) == (["train_error", "test_error"], [3])
    assert environment.code().items() <= found["code"].items()
    assert any(file.startswith("lab/analysis/claims") for file in found["code"])
    content = {name: value for name, value in found.items() if name != "sha256"}
    text = json.dumps(content, sort_keys=True)
    assert found["sha256"] == hashlib.sha256(text.encode()).hexdigest()


def test_an_unchanged_experiment_departs_from_nothing(results: Folder, experiment_file: Path):
    before = read_plan(results).registration
    assert again(results, experiments.load(experiment_file)) == []
    assert read_plan(results).registration == before


def test_every_change_is_listed_once_with_its_date(results: Folder, experiment_file: Path):
    experiment = experiments.load(experiment_file)
    moved = changed(experiment, 0, margin=2.5)
    (text,) = again(results, moved)
    assert "Deeper plain networks train worse" in text
    assert "1.0" in text
    assert "2.5" in text
    assert again(results, moved) == [text]  # once
    assert again(results, experiment) == [text]  # taken back, but not forgotten
    (time, _), *_ = read_plan(results).departures
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00", time)


def test_added_and_removed_claims_other_looks_and_measures_are_listed(
    results: Folder, experiment_file: Path
):
    experiment = experiments.load(experiment_file)
    own = claims.Within("Plain-20 fits", "train_error", {"family": "plain", "depth": 20}, high=1.0)
    texts = again(
        results,
        replace(
            experiment,
            claims=(*experiment.claims[1:], own),
            seeds=Until((3, 6)),
            measures=("train_error",),
            figures=(),
        ),
    )
    assert len(texts) == 4
    assert [text for text in texts if "Plain-20 fits" in text and "added" in text]
    assert [text for text in texts if "Deeper plain networks" in text and "removed" in text]
    assert [text for text in texts if "looks" in text and "3, 6" in text]
    assert [text for text in texts if text.startswith("measures") and "test_error" in text]


def test_other_seeds_of_the_same_number_are_listed(results: Folder, experiment_file: Path):
    experiment = experiments.load(experiment_file)
    (text,) = again(results, replace(experiment, seeds=(7, 8, 9)))
    assert "0, 1, 2" in text
    assert "7, 8, 9" in text
    (_, more) = again(results, replace(experiment, seeds=(0, 1, 2, 3)))  # the looks say it
    assert "looks" in more


def test_a_registration_of_an_earlier_version_has_no_seeds(results: Folder, experiment_file: Path):
    plan = json.loads(results.plan.read_text())
    del plan["registration"]["seeds"]
    results.plan.write_text(json.dumps(plan))
    assert again(results, replace(experiments.load(experiment_file), seeds=(7, 8, 9))) == []


def test_other_words_for_the_same_test_are_told_from_another_test(
    results: Folder, experiment_file: Path
):
    experiment = experiments.load(experiment_file)
    (text,) = again(results, changed(experiment, 1, text="ResNets do not"))
    assert "Deeper residual networks do not" in text
    assert "ResNets do not" in text


def test_what_decides_nothing_is_no_departure(results: Folder, experiment_file: Path):
    experiment = experiments.load(experiment_file)
    cited = changed(experiment, 0, published="yes")
    assert again(results, replace(cited, question="Why?", figures=())) == []


def test_code_that_changed_is_named(results: Folder, experiment_file: Path, monkeypatch):
    monkeypatch.setattr(environment, "code", lambda: {"models/unit.py": "0" * 12})
    (text,) = again(results, experiments.load(experiment_file))
    assert "models/unit.py" in text or "more" in text


def test_infinite_ends_are_plain_json(experiment_file: Path):
    own = claims.Within("Fits", "train_error", {"family": "plain", "depth": 20}, high=1.0)
    experiment = replace(experiments.load(experiment_file), claims=(own,))
    found = registration.register(experiment)
    assert found["claims"]["Fits"]["low"] == str(-math.inf)
    json.dumps(found, allow_nan=False)


def test_plans_of_earlier_versions_have_registered_nothing(results: Folder, experiment_file: Path):
    plan = json.loads(results.plan.read_text())
    for name in ("registration", "departures", "looks"):
        del plan[name]
    results.plan.write_text(json.dumps(plan))
    assert (read_plan(results).registration, read_plan(results).looks) == ({}, ())
    assert again(results, changed(experiments.load(experiment_file), 0, margin=9.0)) == []
