"""Tables read from the folders of runs, finished or not."""

import json
import math
import shutil
from pathlib import Path

import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab.results import records
from resnet_jax.lab.results.folder import Folder
from resnet_jax.lab.results.records import Records, load_records, values_by_seed


def read(results: Folder) -> Records:
    return records.read(results)


def row(found: Records, run: str) -> dict:
    return found.runs.set_index("run").loc[run].to_dict()


def test_a_run_that_is_done_has_its_cell_its_measures_and_its_times(results: Folder):
    run = row(read(results), "plain56-seed2-abcdef")
    final = json.loads((results.runs / "plain56-seed2-abcdef/result.json").read_text())["final"]
    assert (run["family"], run["depth"], run["seed"], run["status"]) == ("plain", 56, 2, "done")
    assert (run["train_error"], run["test_error"]) == (final["train_error"], final["test_error"])
    assert (run["steps"], run["seconds_compile"], run["seconds_total"]) == (300, 2.0, 12.5)


def test_a_run_that_diverged_has_the_declared_values(results: Folder, diverge):
    diverge("plain56-seed1-abcdef")
    run = row(read(results), "plain56-seed1-abcdef")
    assert (run["status"], run["train_error"], run["test_error"]) == ("diverged", 90.0, 90.0)
    assert run["message"] == "the loss was nan at step 57"


def test_a_run_that_failed_or_is_missing_has_a_row_and_no_value(results: Folder, fail):
    fail("plain20-seed0-abcdef")
    shutil.rmtree(results.runs / "plain20-seed1-abcdef")
    (results.runs / "plain20-seed2-abcdef/result.json").unlink()  # cut off in the middle
    found = read(results)
    assert len(found.runs) == 18
    three = found.runs[found.runs["run"].str.startswith("plain20")]
    assert list(three["status"]) == ["failed", "missing", "missing"]
    assert three[["train_error", "test_error"]].isna().all(axis=None)


def result(status: str, final: str) -> str:
    return f'{{"status": "{status}", "message": "", "step": 3, "final": {final}}}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"status": "do', "result.json is "),
        ("[]", "result.json is "),
        ('{"status": "done", "final": {}}', "result.json is "),  # lacks `message` and `step`
        (result("done", '{"train_error": 1.0}'), "no finite test_error"),
        (result("done", '{"train_error": 1.0, "test_error": NaN}'), "no finite test_error"),
        (result("done", '{"train_error": 1.0, "test_error": "?"}'), "no finite test_error"),
        (result("well", "{}"), "unknown status 'well'"),
    ],
)
def test_an_unusable_result_counts_as_failed(results: Folder, text: str, message: str):
    (results.runs / "plain20-seed0-abcdef/result.json").write_text(text)
    run = row(read(results), "plain20-seed0-abcdef")
    assert run["status"] == "failed"
    assert message in run["message"]


def test_every_record_is_read(results: Folder):
    metrics = read(results).metrics
    of_one = metrics[metrics["run"] == "plain20-seed0-abcdef"]
    assert list(of_one[of_one["kind"] == "train"]["step"]) == list(range(10, 301, 10))
    assert list(of_one[of_one["kind"] == "eval"]["split"]) == ["test"]


def test_a_last_line_that_was_cut_is_skipped(results: Folder):
    file = results.runs / "plain20-seed0-abcdef/metrics.jsonl"
    before = len(read(results).metrics)
    file.write_text(file.read_text() + '{"kind": "tra')
    assert len(read(results).metrics) == before


def test_a_corrupt_line_is_an_error_that_names_it(results: Folder):
    file = results.runs / "plain20-seed0-abcdef/metrics.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], lines[2][:9], *lines[3:]]) + "\n")
    with pytest.raises(UserError, match=r"metrics\.jsonl, line 3: .*run the experiment again"):
        read(results)


def test_runs_outside_the_plan_are_ignored_and_counted(results: Folder):
    before = read(results)
    stranger = results.runs / "plain20-seed0-of-other-settings"
    shutil.copytree(results.runs / "plain20-seed0-abcdef", stranger)
    after = read(results)
    assert after.runs.equals(before.runs)
    assert (before.unplanned, after.unplanned) == (0, 1)


def test_an_experiment_that_has_not_begun_can_be_read(results: Folder):
    shutil.rmtree(results.runs)
    found = read(results)
    assert set(found.runs["status"]) == {"missing"}
    assert len(found.metrics) == len(found.environments) == 0


def test_values_of_a_cell_are_by_seed(results: Folder, fail):
    fail("plain20-seed1-abcdef")
    runs = read(results).runs
    found = values_by_seed(runs, {"family": "plain", "depth": 20}, "train_error")
    assert list(found) == [0, 1, 2]
    assert [math.isnan(value) for value in found.values()] == [False, True, False]


def test_the_records_of_an_experiment_are_one_table(results: Folder):
    table = load_records(results.path)
    assert list(table)[:6] == ["experiment", "run", "family", "depth", "seed", "status"]
    assert len(table) == 18 * 31
    assert set(table["experiment"]) == {"degradation"}
    one = table[(table["run"] == "plain56-seed2-abcdef") & (table["kind"] == "train")]
    lines = (results.runs / "plain56-seed2-abcdef" / "metrics.jsonl").read_text().splitlines()
    assert list(one["error"]) == [json.loads(line)["error"] for line in lines[:-1]]
    assert set(one["depth"]) == {56}
    assert set(one["status"]) == {"done"}


def test_records_of_all_experiments_are_one_table_too(results: Folder):
    other = Folder(shutil.copytree(results.path, results.path.with_name("other")))
    plan = json.loads(other.plan.read_text()) | {"name": "other"}
    other.plan.write_text(json.dumps(plan))
    table = load_records(results.path.parent)
    assert table.groupby("experiment").size().to_dict() == {"degradation": 558, "other": 558}


def test_a_quantity_with_the_name_of_an_axis_is_renamed(results: Folder):
    metrics = results.runs / "plain56-seed2-abcdef" / "metrics.jsonl"
    metrics.write_text(metrics.read_text() + '{"kind": "probe", "step": 0, "depth": 7}\n')
    table = load_records(results.path)
    (probe,) = table[table["kind"] == "probe"].to_dict("records")
    assert (probe["depth"], probe["depth_recorded"]) == (56, 7)


def test_the_records_of_one_run_are_a_table(results: Folder):
    (results.runs / "plain56-seed2-abcdef" / "config.json").write_text('{"seed": 2}')
    table = load_records(results.runs / "plain56-seed2-abcdef")
    assert list(table)[:4] == ["experiment", "run", "seed", "status"]
    assert set(table["run"]) == {"plain56-seed2-abcdef"}
    assert (set(table["seed"]), set(table["status"])) == ({2}, {"done"})
    assert len(table) == 31


def test_a_folder_of_nothing_has_no_records(tmp_path: Path):
    with pytest.raises(UserError, match="holds no results"):
        load_records(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        load_records(tmp_path / "none")
