"""The table of all claims, and the page that it goes into."""

import json
import re

import pytest

from resnet_jax.cli import main
from resnet_jax.errors import UserError
from resnet_jax.files import write_section
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
        "verdict",
    ]
    assert [(row[0], row[1], row[4], row[5]) for row in table.rows] == [
        ("degradation", "Deeper plain networks train worse", "3 pairs", "supported"),
        ("degradation", "Deeper residual networks do not", "3 pairs", "supported"),
    ]
    assert re.search(r"\(95% interval \S+ to \S+\)$", table.rows[0][3])


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
    assert printed.count("\n") == 4
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
