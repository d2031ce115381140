"""The table of all claims, and the page that it goes into."""

import json
import re
from dataclasses import replace

import pytest

from resnet_jax.cli import main
from resnet_jax.errors import UserError
from resnet_jax.files import write_section
from resnet_jax.lab.analysis.claims import Verdict
from resnet_jax.lab.reporting import overview
from resnet_jax.lab.results.folder import Folder

BEGIN, END = "<!-- claims -->", "<!-- end of claims -->"


def test_every_claim_has_a_row_with_its_verdict(results: Folder):
    table = overview.claims_table(results.path.parent)
    assert table.head == [
        "experiment",
        "claim",
        "theory or paper",
        "ours (95% interval)",
        "n",
        "decided at",
        "verdict",
    ]
    assert [(row[0], row[1], *row[4:]) for row in table.rows] == [
        ("degradation", "Deeper plain networks train worse", "3 pairs", "3 seeds", "supported"),
        ("degradation", "Deeper residual networks do not", "3 pairs", "3 seeds", "supported"),
    ]
    assert re.search(r"\(95% interval \S+ to \S+\)$", table.rows[0][3])


def test_an_open_claim_has_the_seeds_that_it_needs(results: Folder, monkeypatch):
    """The verdicts are invented; a claim without values needs an unknown number."""
    verdict = Verdict("It is", "inconclusive", "loss", 1.0, 0.0, 2.0, 5, "a rule", needed=45)
    verdicts = [verdict, *(replace(verdict, needed=n) for n in (1000, 0))]
    verdicts += [replace(verdict, outcome="refuted", look=8)]
    monkeypatch.setattr(overview.report.claims, "judge", lambda *given: verdicts)
    table = overview.claims_table(results.path.parent)
    assert [row[-2] for row in table.rows] == [
        "open; about 45 seeds needed",
        "open; about 1,000 seeds or more needed",
        "–",
        "8 seeds",
    ]
    text = overview.section(table)
    assert text.splitlines()[0] == "1 refuted, 3 inconclusive: 4 claims of 1 experiment."


def test_scale_is_named_unless_default(results: Folder):
    text = results.experiment.read_text().rstrip().removesuffix(")")
    results.experiment.write_text(text + '    scales={"paper": {"setup": "As there."}},\n)\n')
    plan = json.loads(results.plan.read_text())
    results.plan.write_text(json.dumps(plan | {"scale": "paper"}))
    table = overview.claims_table(results.path.parent)
    assert {row[0] for row in table.rows} == {"degradation (paper)"}


def test_a_corrupt_experiment_is_skipped_with_a_warning(results: Folder, capsys):
    corrupt = results.path.with_name("aaa")
    corrupt.mkdir()
    (corrupt / "experiment.json").write_text("{}")
    assert main(["claims", str(results.path.parent)]) == 1
    told = capsys.readouterr()
    assert told.out.count("| degradation |") == 2
    (warning,) = told.err.splitlines()
    assert warning.startswith(f"resnet-jax: warning: {corrupt} is skipped: ")
    assert "is not the plan of an experiment" in warning


def test_command_replaces_only_the_table_of_a_page(results: Folder, capsys):
    page = results.path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    folder = str(results.path.parent)
    assert main(["claims", folder, "--into", str(page)]) == 0
    assert main(["claims", folder]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 6
    assert printed.startswith("2 supported: 2 claims of 1 experiment.\n\n| experiment | ")
    text = f"before\n{BEGIN}\n{printed}{END}\nafter\n"
    assert page.read_text() == text
    assert main(["claims", folder, "--into", str(page)]) == 0
    assert page.read_text() == text


def test_page_without_the_section_is_not_changed(results: Folder):
    page = results.path / "page.md"
    page.write_text(f"{END} {BEGIN}\n")
    with pytest.raises(UserError, match="<!-- end of claims -->"):
        write_section(page, "claims", "new")
    assert page.read_text() == f"{END} {BEGIN}\n"
    with pytest.raises(UserError, match="holds no results"):
        overview.claims_table(results.path / "none")


def test_bars_in_cells_are_escaped():
    table = overview.Readable(["a"], [["|g|"]], [False])
    assert overview.markdown(table) == "| a |\n| --- |\n| \\|g\\| |\n"
