"""The page of all experiments in a folder of results."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_jax.cli import main
from resnet_jax.errors import UserError
from resnet_jax.lab.reporting import index
from resnet_jax.lab.results.folder import Folder


@pytest.fixture
def folder(results: Folder) -> Path:
    """Three experiments: one has a corrupt plan, the code of another raises."""
    for name in ("corrupt", "raises"):
        shutil.copytree(results.path, results.path.with_name(name))
    (results.path.with_name("corrupt") / "experiment.json").write_text('{"name": <1>}')
    file = results.path.with_name("raises") / "experiment.py"
    text = file.read_text().rstrip().removesuffix(")")
    file.write_text(text + '    findings=lambda found: found["no"],\n)\n')
    shutil.rmtree(results.runs / "resnet56-seed2-abcdef")
    return results.path.parent


@pytest.mark.usefixtures("blank_figures")
def test_each_experiment_has_a_card(folder: Path, page_at):
    built = index.build(folder)
    assert [(card.title, bool(card.error)) for card in built.cards] == [
        ("corrupt", True),
        ("degradation", False),
        ("raises", True),
    ]
    assert not built.complete
    page = page_at(folder / "index.html")
    for part in (
        "Do deeper plain networks train worse, and do shortcuts mend it?",
        "2 claims of 1 experiment; 2 experiments cannot be read",
        "17 of 18 runs done, 1 missing ; 3 seeds. 1 supported, 1 inconclusive.",
        "To go on: resnet-jax run experiments/degradation.py",
        "2026-01-01",
        "Deeper plain networks train worse",
        "is not the plan of an experiment",
        "TypeError: 'Records' object is not subscriptable",
    ):
        assert part in page.text


def test_links_lead_to_figures_reports_and_claims(folder: Path, page_at):
    shutil.copytree(folder / "degradation", folder / "again")
    index.build(folder)
    page = page_at(folder / "index.html")
    drawn = [f"{name}/figures/training_curves.svg" for name in ("again", "degradation")]
    reports = [f"{name}/report.html" for name in ("again", "degradation")]
    claims = [f"{file}#claim-{number}" for file in reports for number in (1, 2)]
    assert set(page.links) == {*drawn, *reports, *claims}
    assert all((folder / link.partition("#")[0]).is_file() for link in page.links)
    narrow = re.findall(r'srcset="(.*?)"', (folder / "index.html").read_text())
    assert narrow == [file.replace("figures/", "figures/narrow/") for file in drawn]
    assert all((folder / file).is_file() for file in narrow)


@pytest.mark.usefixtures("blank_figures")
def test_the_tally_is_that_of_all_claims(folder: Path, diverge, page_at):
    """Of the copy, one claim is turned round, so that it is refuted."""
    shutil.rmtree(folder / "corrupt")
    shutil.rmtree(folder / "raises")
    again = shutil.copytree(folder / "degradation", folder / "again")
    text = (again / "experiment.py").read_text()
    (again / "experiment.py").write_text(text.replace("claims.Greater(", "claims.NotGreater("))
    built = index.build(folder)
    outcomes = [verdict.outcome for verdict in built.verdicts]
    assert outcomes == ["refuted", "inconclusive", "supported", "inconclusive"]
    assert built.scope == "4 claims of 2 experiments"
    assert built.complete
    text = page_at(folder / "index.html").text
    assert "4 claims of 2 experiments 4 all 1 supported 1 refuted 2 inconclusive" in text


@pytest.mark.usefixtures("blank_figures")
def test_cards_say_what_departs_and_what_a_claim_needs(results: Folder, monkeypatch, page_at):
    plan = json.loads(results.plan.read_text())
    departures = [["2026-01-02T00:00:00", "seeds were added"]]
    results.plan.write_text(json.dumps(plan | {"departures": departures}))
    for name, digest in (("plain20-seed0-abcdef", "a"), ("plain20-seed1-abcdef", "b")):
        code = {"code": {"models/unit.py": digest}}
        (results.runs / name / "environment.json").write_text(json.dumps(code))
    (built,) = index.build(results.path.parent).cards
    (numbers, _) = built.verdicts
    page = page_at(results.path.parent / "index.html")
    assert "18 of 18 runs done; 3 seeds; 1 departure from the plan ; runs of different" in page.text
    assert "degradation/report.html#departures" in page.links
    assert numbers.without_n.replace("95% interval ", "") in page.text
    assert "To go on" not in page.text
    open_claim = replace(numbers, outcome="inconclusive", needed=45)
    monkeypatch.setattr(index.report.claims, "judge", lambda *given: [open_claim] * 2)
    index.build(results.path.parent)
    assert "about 45 seeds" in page_at(results.path.parent / "index.html").text


@pytest.mark.usefixtures("blank_figures")
def test_cards_hold_what_they_are_sorted_and_filtered_by(folder: Path):
    file = folder / "degradation" / "runs" / "plain20-seed1-abcdef" / "environment.json"
    file.write_text(json.dumps({"started": "2026-02-03T04:05:06"}))
    built = index.build(folder)
    assert [card.date for card in built.cards] == ["", "2026-02-03", ""]
    text = (folder / "index.html").read_text()
    assert 'data-name="degradation" data-date="2026-02-03"' in text
    assert re.findall(r'<li class="(\w+)"', text) == ["supported", "inconclusive"]
    css = "".join(re.findall(r"<style>(.*?)</style>", text, re.S))
    for outcome in ("supported", "refuted", "inconclusive"):
        assert f'value="{outcome}"' in text
        assert f'body:has([value="{outcome}"]:checked) li:not(.{outcome})' in css
    assert not re.findall(r"https?://", text)


@pytest.mark.usefixtures("blank_figures")
def test_command_prints_the_tally_and_a_line_for_each_experiment(folder: Path, capsys):
    assert main(["report", str(folder)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert (
        told[0]
        == "1 supported, 1 inconclusive: 2 claims of 1 experiment; 2 experiments cannot be read"
    )
    (line,) = [each for each in told if each.startswith("degradation")]
    for part in ("1 supported, 1 inconclusive", "17 of 18 runs done, 1 missing", "2026-01-01"):
        assert part in line
    assert [each.partition(": unreadable: ")[0] for each in told if "unreadable" in each] == [
        "corrupt",
        "raises",
    ]
    assert told[-1] == f"page: {folder / 'index.html'}"
    for name in ("corrupt", "raises"):
        shutil.rmtree(folder / name)
    assert main(["report", str(folder)]) == 0


@pytest.mark.usefixtures("blank_figures")
def test_scale_is_named_unless_default(folder: Path, page_at):
    file = folder / "degradation" / "experiment.py"
    text = file.read_text().rstrip().removesuffix(")")
    file.write_text(text + '    scales={"paper": {"setup": "As there."}},\n)\n')
    plan = json.loads((folder / "degradation" / "experiment.json").read_text())
    (folder / "degradation" / "experiment.json").write_text(json.dumps(plan | {"scale": "paper"}))
    index.build(folder)
    assert "degradation (paper)" in page_at(folder / "index.html").text
    assert (
        "Experiment: degradation, scale paper" in page_at(folder / "degradation/report.html").text
    )


def test_folder_without_experiments_is_refused(tmp_path: Path, capsys):
    with pytest.raises(UserError, match="holds no results"):
        index.build(tmp_path)
    assert main(["report", str(tmp_path)]) == 2
    assert "holds no results" in capsys.readouterr().err
    assert not (tmp_path / "index.html").exists()
