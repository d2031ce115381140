"""README and the pages that it leads to: their links, tables, commands and code."""

import re
import shlex
import types
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest

from resnet_jax import lab, models, probes
from resnet_jax.cli.parser import parser
from resnet_jax.data import loading
from resnet_jax.lab.design import grid
from resnet_jax.lab.reporting import overview
from resnet_jax.models import from_settings, orders, shortcuts
from resnet_jax.models.zoo import variants
from resnet_jax.models.zoo.summary import summarize
from resnet_jax.training import config as configs
from resnet_jax.training.config import defaults
from resnet_jax.training.config.network import build_model

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
    tally, _, _, _, *rows = section("experiments/README.md", "claims").splitlines()
    verdicts = [row.removesuffix(" |").rpartition(" | ")[2] for row in rows]
    assert tally.startswith(overview.tally(verdicts))
    claims = [
        [file.stem, claim.text, claim.published or "–"]
        for file in sorted((ROOT / "experiments").glob("*.py"))
        if (ROOT / "experiments" / "tables" / f"{file.stem}.csv").exists()  # not one of your own
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


def test_the_loop_that_is_shown_trains(capsys):
    code = block("README.md", "session.batches(")
    exec(code.replace('"configs/digits.py"', repr(str(ROOT / "configs" / "smoke.py"))), {})
    assert "'examples': 100" in capsys.readouterr().out


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


RECIPES = "resnet_jax/README.md"


def params(**settings) -> int:
    return summarize(from_settings((1, 2), widths=(4, 6), **settings)).params


def test_the_shortcut_that_is_added_is_one(monkeypatch):
    scope = dict(vars(shortcuts))
    exec(block(RECIPES, "class ChannelScale").partition("SHORTCUTS")[0], scope)
    monkeypatch.setitem(shortcuts.SHORTCUTS, "channel_scale", scope["channel_scale"])
    counts = {name: params(shortcut=name, dtype="bfloat16") for name in ("A", "channel_scale")}
    assert counts["channel_scale"] == counts["A"] + 4 + 6 + 6


@pytest.mark.parametrize(
    ("module", "table"), [(orders, "ORDERS"), (variants, "NAMED")], ids=["order", "network"]
)
def test_an_entry_that_is_added_makes_a_network(module, table, monkeypatch):
    code = block(RECIPES, f"{table}: ")
    scope = dict(vars(module))
    exec(code + "}", scope)
    ((name, entry),) = scope[table].items()
    monkeypatch.setitem(getattr(module, table), name, entry)
    if table == "ORDERS":
        assert params(order=name) == params(order="preactivation")
    else:
        assert models.create(name).stage_sizes == (3, 4, 23, 3)


def test_the_quantity_that_is_added_is_measured():
    """The line is put into a copy of the module."""
    line, source = block(RECIPES, "trust_ratio"), Path(probes.measure.__code__.co_filename)
    before, known, after = source.read_text().partition('        "invariant": ')
    module = types.ModuleType("copy")
    exec(before + line + known + after, vars(module))
    model = models.create("resnet8")
    images = np.cos(np.arange(4 * 8 * 8, dtype=np.float32)).reshape(4, 8, 8, 1)
    variables = models.initialize(model, jax.random.key(0), (8, 8, 1))
    table = module.measure(model, variables, images, np.arange(4), sites="*/kernel").table()
    expected = table["weight_norm"] / table["gradient_norm"]
    np.testing.assert_allclose(table["trust_ratio"], expected, rtol=1e-5)


@pytest.mark.parametrize(("factor", "outcome"), [(3.0, "supported"), (30.0, "refuted")])
def test_the_claim_that_is_added_is_judged(factor, outcome):
    scope: dict = {}
    exec(block(RECIPES, "class TimesGreater"), scope)
    errors = {20: (1.0, 2.0, 1.5), 56: (10.0, 20.0, 16.0)}
    runs = pd.DataFrame(
        {"depth": depth, "seed": seed, "status": "done", "train_error": error}
        for depth, of_depth in errors.items()
        for seed, error in enumerate(of_depth)
    )
    claim = scope["TimesGreater"]("?", "train_error", {"depth": 56}, {"depth": 20}, factor)
    (verdict,) = lab.claims.judge((claim,), runs)
    assert (verdict.outcome, verdict.n) == (outcome, 3)


def test_the_data_set_that_is_added_is_loaded(tmp_path, monkeypatch):
    images, labels = np.zeros((4, 8, 8, 1), np.uint8), np.arange(4)
    images[:, 0] = 9
    splits = {f"{split}_images": images for split in ("train", "test")}
    splits |= {f"{split}_labels": labels for split in ("train", "test")}
    np.savez(tmp_path / "my_set.npz", **splits)
    scope = dict(vars(loading)) | {"np": np}
    exec(block(RECIPES, "def _my_set").partition("_BUILT_IN")[0], scope)
    monkeypatch.setitem(loading._BUILT_IN, "my_set", scope["_my_set"])
    settings = {"data.name": "my_set", "data.data_dir": str(tmp_path)}
    config = configs.override(configs.base(), settings)
    found = loading.load(config.data, batch_size=2, eval_batch_size=2, seed=0)
    assert (found.num_train, found.num_classes, found.image_shape) == (4, 10, (8, 8, 1))


def test_the_module_that_is_added_is_a_network(tmp_path):
    (tmp_path / "my_net.py").write_text(block(RECIPES, "net = Net()"))
    settings = {"model.name": f"{tmp_path}/my_net.py:net"}
    model = build_model(configs.override(configs.base(), settings), num_classes=10)
    variables = jax.eval_shape(model.init, jax.random.key(0), np.zeros((1, 8, 8, 1), np.float32))
    assert set(variables) == {"params", "batch_stats"}
