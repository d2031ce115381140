"""The table of all claims, and the page that it goes into."""

import pytest

from resnet_jax.cli import main
from resnet_jax.errors import UserError
from resnet_jax.lab import overview
from resnet_jax.lab.folder import Folder


def test_every_claim_has_a_row_with_its_verdict(results: Folder):
    table = overview.claims_table(results.path.parent)
    assert table.head == [
        "experiment",
        "claim",
        "theory or paper",
        "ours (95% interval)",
        "verdict",
    ]
    assert [(row[0], row[1], row[4]) for row in table.rows] == [
        ("degradation", "Deeper plain networks train worse", "supported"),
        ("degradation", "Deeper residual networks do not", "supported"),
    ]
    assert "95% interval" in table.rows[0][3]


def test_the_command_replaces_the_table_of_a_page_and_nothing_else(results: Folder, capsys):
    page = results.path / "page.md"
    page.write_text(f"before\n{overview.BEGIN}\nold\n{overview.END}\nafter\n")
    folder = str(results.path.parent)
    assert main(["claims", folder, "--into", str(page)]) == 0
    assert main(["claims", folder]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 4
    text = f"before\n{overview.BEGIN}\n{printed}{overview.END}\nafter\n"
    assert page.read_text() == text
    assert main(["claims", folder, "--into", str(page)]) == 0
    assert page.read_text() == text


def test_a_page_without_a_place_for_it_is_left_as_it_is(results: Folder):
    page = results.path / "page.md"
    page.write_text(f"{overview.END} {overview.BEGIN}\n")
    with pytest.raises(UserError, match="the table goes between lines"):
        overview.write_into(page, overview.claims_table(results.path.parent))
    assert page.read_text() == f"{overview.END} {overview.BEGIN}\n"
    with pytest.raises(UserError, match="holds no results"):
        overview.claims_table(results.path / "none")


def test_a_bar_in_a_cell_does_not_end_it():
    table = overview.Readable(["a"], [["|g|"]], [False])
    assert overview.markdown(table) == "| a |\n| --- |\n| \\|g\\| |\n"
