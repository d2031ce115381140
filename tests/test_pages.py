"""README and the pages that it leads to: their links, tables, commands and code."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from resnet_jax import lab
from resnet_jax.cli.parser import parser
from resnet_jax.lab.design import grid
from resnet_jax.models import from_settings, shortcuts
from resnet_jax.models.shortcuts import SHORTCUTS
from resnet_jax.models.zoo.summary import summarize
from resnet_jax.training import config as configs
from resnet_jax.training.config import defaults

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "experiments/README.md", "configs/README.md", "resnet_jax/README.md"]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(), re.M | re.S)


def block(page: str, holding: str) -> str:
    (found,) = [code for code in blocks(page, "python") if holding in code]
    return found


def section(page: str, name: str) -> str:
    text = (ROOT / page).read_text()
    return text.partition(f"<!-- {name} -->\n")[2].partition(f"<!-- end of {name} -->")[0]


def test_readme_is_short():
    assert len((ROOT / "README.md").read_bytes()) <= 12_000


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text()
    headings = {
        re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-")
        for head in re.findall(r"^#+ (.*)$", text, re.M)
    }
    for link in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = link.partition("#")
        assert ((ROOT / page).parent / path).exists(), link
        assert path or anchor in headings, link


def test_the_table_of_settings_is_that_of_the_code():
    """`resnet-jax settings --into configs/README.md` makes it so."""
    assert section("configs/README.md", "settings") == defaults.markdown()


def test_the_table_of_claims_has_the_claims_of_the_experiments():
    """`resnet-jax claims results --into experiments/README.md` makes it, from all results."""
    rows = section("experiments/README.md", "claims").splitlines()[2:]
    claims = [
        [file.stem, claim.text, claim.published or "–"]
        for file in sorted((ROOT / "experiments").glob("*.py"))
        for claim in lab.load(file).claims
    ]
    assert [row.split(" | ")[:3] for row in rows] == [[f"| {n}", *rest] for n, *rest in claims]


@pytest.mark.parametrize("page", PAGES)
def test_commands_have_options_that_exist(page):
    lines = "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    commands = [
        line.partition("resnet-jax ")[2].partition(";")[0]
        for line in lines
        if "resnet-jax " in line
    ]
    assert commands
    for command in commands:
        options, rest = parser().parse_known_args(shlex.split(command, comments=True))
        assert all(options.overrides(argument) for argument in rest), command


def test_the_tour_of_a_network_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = block("README.md", "models.create(") + block("README.md", "probes.measure(")
    scope: dict = {}
    exec(code.replace("preact110", "preact8"), scope)
    assert set(scope["table"]["site"]) == {f"stage{n}/unit01" for n in (1, 2, 3)}
    assert (tmp_path / "norms.png").exists()


@pytest.mark.parametrize(
    ("page", "holding", "runs"),
    [
        ("README.md", "claims.Greater(", 10),
        ("experiments/README.md", "Paper(", 20),
        ("experiments/README.md", "study=", 60),
    ],
)
def test_an_experiment_that_is_shown_makes_a_grid(page, holding, runs):
    scope: dict = {}
    exec(block(page, holding), scope)
    experiment = replace(scope["experiment"], name="shown", file=ROOT / "experiments" / "shown.py")
    assert len(grid.expand(experiment)) == runs
    for scale in experiment.scales:
        grid.expand(experiment.at_scale(scale))


def test_the_config_that_is_shown_is_one(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(block("configs/README.md", "get_config"))
    assert configs.load(file).optimizer.name == "adamw"


def test_the_shortcut_that_is_added_is_one(monkeypatch):
    code = block("resnet_jax/README.md", "class ChannelScale").partition("SHORTCUTS")[0]
    scope = dict(vars(shortcuts))
    exec(code, scope)
    monkeypatch.setitem(SHORTCUTS, "channel_scale", scope["channel_scale"])
    counts = {
        shortcut: summarize(
            from_settings((1, 2), widths=(4, 6), shortcut=shortcut, dtype="bfloat16")
        ).params
        for shortcut in ("A", "channel_scale")
    }
    assert counts["channel_scale"] == counts["A"] + 4 + 6 + 6
