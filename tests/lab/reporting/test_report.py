"""The report, as a reader gets it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from resnet_jax.lab.analysis.tables import Readable
from resnet_jax.lab.reporting import report
from resnet_jax.lab.results.folder import Folder
from resnet_jax.training.run.run_folder import RunFolder


@pytest.fixture
def page(results: Folder, page_at):
    report.build(results.path)
    return page_at(results.report)


@pytest.mark.usefixtures("blank_figures")
def test_sections_are_in_order(page):
    place = 0
    for part in (
        "Experiment: degradation",
        "Do deeper plain networks train worse, and do shortcuts mend it?",
        "He et al. 2015, sections 1 and 4.2, Figs. 1 and 6",
        "“Deeper plain networks train worse” is supported",
        "Figure 1.",
        "Difference in training error (percentage points)",
        "Deeper plain networks train worse",
        "Supported",
        "95% interval",
        "Figure 2.",
        "Departures from the plan",
        "Mean ± standard deviation over 3 seeds",
        "Set-up",
        "Runs",
        "Environment",
        "How to reproduce",
    ):
        place = page.text.index(part, place)


@pytest.mark.usefixtures("blank_figures")
def test_report_has_everything_needed_to_reproduce(page):
    for part in (
        "resnet-jax run experiments/degradation.py",
        "jax 0.10.2, flax 0.12.0",
        "0123abc",
        "Real 8x8 images of digits",
        "train.steps 300",
        "training error 90%, test error 90%, declared before the runs",
        "18 of 18 runs done: 3 seeds in 6 cells. Total run time: 3 min 45 s, of which 36 s (16%)",
        "configure=lambda family, depth",
    ):
        assert part in page.text
    assert "Incomplete" not in page.text


@pytest.mark.usefixtures("blank_figures")
def test_labels_are_capitalized_unless_they_are_settings(results: Folder, page_at):
    file = results.experiment
    labels = '"depth": "model.shortcut", "family": "with ReLU"'
    file.write_text(file.read_text().replace('"depth": "layers"', labels))
    report.build(results.path)
    text = page_at(results.report).text
    assert "With ReLU plain, residual model.shortcut 20, 32, 56" in text


@pytest.mark.usefixtures("blank_figures")
def test_every_claim_and_heading_can_be_linked_to(page):
    assert {"claim-1", "claim-2"} <= set(page.ids)
    contents = [link for link in page.links if link.startswith("#")]
    assert {f"#{each}" for each in ("answer", "claims", "table", "runs")} <= set(contents)
    assert {link[1:] for link in contents} <= set(page.ids)


@pytest.mark.usefixtures("blank_figures")
def test_departures_from_the_registered_plan_are_listed(results: Folder, page_at):
    report.build(results.path)
    plan = json.loads(results.plan.read_text())
    text = page_at(results.report).text
    assert plan["registration"]["sha256"] in text
    assert "no departures" in text
    plan["departures"] = [["2026-01-02T10:00:00+00:00", "looks were 3 and now are 5"]]
    results.plan.write_text(json.dumps(plan))
    report.build(results.path)
    text = page_at(results.report).text
    assert "2026-01-02: looks were 3 and now are 5" in text
    assert "no departures" not in text


@pytest.mark.usefixtures("blank_figures")
def test_dates_and_machines_of_the_runs_are_told(results: Folder, page_at):
    for seed, machine in ((0, "Xeon 1"), (1, "EPYC 2")):
        file = results.runs / f"plain20-seed{seed}-abcdef" / "environment.json"
        made = {"processor": machine, "cores": 2 - seed, "started": f"2026-01-0{3 + seed}T10:00:00"}
        file.write_text(json.dumps(json.loads(file.read_text()) | made))
    report.build(results.path)
    text = page_at(results.report).text
    for part in ("2026-01-01 to 2026-01-04", "Xeon 1, 2 cores; EPYC 2, 1 core"):
        assert part in text


@pytest.mark.usefixtures("blank_figures")
def test_the_gallery_is_linked_where_there_is_one(results: Folder, page_at):
    gallery = results.path.parent / "index.html"
    report.build(results.path)
    assert "../index.html" not in page_at(results.report).links
    gallery.touch()
    report.build(results.path)
    assert "../index.html" in page_at(results.report).links


@pytest.mark.usefixtures("blank_figures")
def test_a_further_section_has_a_heading_tables_and_notes(results: Folder, page_at, monkeypatch):
    table = Readable(["rate", "error"], [["0.01", "12.5"]], [False, True])
    section = report.Section("Scaling laws", [table], ["Fits are to the means."])
    found = replace(report.read(results.path), sections=[section])
    monkeypatch.setattr(report, "read", lambda path: found)
    report.build(results.path)
    page = page_at(results.report)
    assert "Scaling laws rate error 0.01 12.5 Fits are to the means." in page.text
    assert {"scaling-laws"} <= set(page.ids)
    assert "#scaling-laws" in page.links


def test_report_is_self_contained(results: Folder, page):
    assert [link for link in page.links if not link.startswith("#")] == []
    assert "@import" not in page.text
    assert "url(http" not in results.report.read_text()
    assert page.ids.total() > 100  # those of the two figures
    assert set(page.ids.values()) == {1}
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_report_is_rebuilt_from_the_records_alone(results: Folder, experiment_file: Path):
    first = report.build(results.path)
    written = [results.report, results.table, results.runs_table]
    before = [file.read_bytes() for file in written]
    # Neither the experiment's file nor a base config (there never was one) is needed.
    experiment_file.unlink()
    for file in written:
        file.unlink()
    shutil.rmtree(results.figures)
    again = report.build(results.path)
    assert [file.read_bytes() for file in written] == before
    assert again.verdicts == first.verdicts
    assert [verdict.outcome for verdict in again.verdicts] == ["supported", "supported"]


@pytest.mark.usefixtures("blank_figures")
def test_csv_files_hold_the_tables(results: Folder):
    built = report.build(results.path)
    table = built.table.astype({"measure": "str"})  # of names that carry their description
    pd.testing.assert_frame_equal(pd.read_csv(results.table), table)
    runs = pd.read_csv(results.runs_table)
    assert list(runs["run"]) == list(built.records.runs["run"])
    assert runs.shape == (18, built.records.runs.shape[1])


@pytest.mark.usefixtures("blank_figures")
def test_diverged_failed_and_missing_runs_are_shown(results: Folder, diverge, fail, page_at):
    diverge("plain56-seed1-abcdef")
    fail("resnet32-seed0-abcdef")
    shutil.rmtree(results.runs / "resnet56-seed2-abcdef")
    built = report.build(results.path)
    text = page_at(results.report).text
    assert "Incomplete: 15 of 18 runs done, 1 diverged, 1 failed, 1 missing" in text
    assert "1 run diverged, counted as 90%" in text
    assert "resnet32-seed0-abcdef failed: RuntimeError: out of memory" in text
    assert built.verdicts[1].outcome == "inconclusive"


def test_experiment_without_runs_has_a_report(results: Folder, page_at):
    shutil.rmtree(results.runs)
    built = report.build(results.path)
    assert {verdict.numbers for verdict in built.verdicts} == {"no complete pair of runs yet"}
    assert "Incomplete: 0 of 18 runs done, 18 missing" in page_at(results.report).text


@pytest.mark.usefixtures("blank_figures")
def test_runs_of_other_settings_are_counted_and_ignored(results: Folder, page_at):
    shutil.copytree(results.runs / "plain20-seed0-abcdef", results.runs / "plain20-seed0-older")
    report.build(results.path)
    assert "1 run of other settings or seeds was ignored." in page_at(results.report).text
    assert "plain20-seed0-older" not in results.runs_table.read_text()


@pytest.mark.usefixtures("blank_figures")
def test_text_of_the_experiment_is_escaped(results: Folder, page_at):
    text = results.experiment.read_text()
    results.experiment.write_text(text.replace("mend it?", "mend <script>it</script> & all?"))
    report.build(results.path)
    assert "<script>it" not in results.report.read_text()
    assert "mend <script>it</script> & all?" in page_at(results.report).text


@pytest.mark.usefixtures("blank_figures")
def test_patch_of_uncommitted_changes_is_applied(results: Folder, page_at):
    report.build(results.path)
    assert "git apply" not in page_at(results.report).text
    patch = RunFolder(results.runs / "plain20-seed1-abcdef").changes
    patch.write_bytes(b"--- a\n+++ b\n")
    report.build(results.path)
    assert f"git apply {patch}" in page_at(results.report).text


@pytest.mark.usefixtures("blank_figures")
def test_all_machines_are_listed(results: Folder, page_at):
    file = results.runs / "plain20-seed0-abcdef" / "environment.json"
    file.write_text(file.read_text().replace('"cpu"', '"gpu"'))
    report.build(results.path)
    assert "Devices gpu; cpu" in page_at(results.report).text
