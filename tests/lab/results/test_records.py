"""What is read from the folders of runs, whatever state they are in."""

import json
import shutil

import pytest

from resnet_jax.errors import UserError
from resnet_jax.lab.results import records
from resnet_jax.lab.results.folder import Folder
from resnet_jax.lab.results.records import Records


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
def test_a_result_that_is_none_counts_as_failed(results: Folder, text: str, message: str):
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


def test_any_other_line_that_is_no_record_is_an_error_that_says_where(results: Folder):
    file = results.runs / "plain20-seed0-abcdef/metrics.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], lines[2][:9], *lines[3:]]) + "\n")
    with pytest.raises(UserError, match=r"metrics\.jsonl, line 3: .*run the experiment again"):
        read(results)


def test_runs_of_another_plan_change_nothing(results: Folder):
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
