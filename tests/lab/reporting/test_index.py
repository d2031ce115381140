"""The page of all experiments in a folder of results."""

import json
import shutil
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
        "Scale: default. 17 of 18 runs done, 1 missing; 3 seeds.",
        "1 supported, 1 inconclusive",
        "Deeper plain networks train worse",
        "is not the plan of an experiment",
        "TypeError: 'Records' object is not subscriptable",
    ):
        assert part in page.text


def test_links_resolve_and_ids_are_unique(folder: Path, page_at):
    shutil.copytree(folder / "degradation", folder / "again")
    index.build(folder)
    page = page_at(folder / "index.html")
    files = {link for link in page.links if not link.startswith("#")}
    assert files == {"again/report.html", "degradation/report.html"}
    assert all((folder / file).is_file() for file in files)
    assert set(page.ids.values()) == {1}
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert (folder / "index.html").read_text().count(
        "<svg"
    ) == 4  # two, each for wide and for narrow pages


@pytest.mark.usefixtures("blank_figures")
def test_command_reports_the_state_of_each_experiment(folder: Path, capsys):
    assert main(["report", str(folder)]) == 1
    told = capsys.readouterr().out
    assert "degradation: 17 of 18 runs done, 1 missing" in told
    assert "corrupt: unreadable: " in told
    assert told.splitlines()[-1] == f"page: {folder / 'index.html'}"
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
