"""Folders of results in the form that training writes, with invented but plausible numbers."""

import json
import math
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from ml_collections import ConfigDict

from resnet_jax.lab import figures
from resnet_jax.lab.design import experiment as experiments
from resnet_jax.lab.design.grid import Run
from resnet_jax.lab.results.folder import Folder, write_plan
from resnet_jax.lab.results.records import Records

EXPERIMENT = """
from resnet_jax.lab import Experiment, claims, figures

experiment = Experiment(
    question="Do deeper plain networks train worse, and do shortcuts mend it?",
    source="He et al. 2015, sections 1 and 4.2, Figs. 1 and 6",
    published="On CIFAR-10 the deeper plain networks have the higher training error.",
    setup="Real 8x8 images of digits: small enough for a laptop.",
    base="configs/digits.py",
    settings={"train.steps": 300},
    axes={"family": ("plain", "resnet"), "depth": (20, 32, 56)},
    configure=lambda family, depth: {"model.name": f"{family}{depth}"},
    seeds=(0, 1, 2),
    diverged={"train_error": 90.0, "test_error": 90.0},
    labels={"resnet": "residual", "depth": "layers"},
    figures=(
        figures.Curves(panels="family", lines="depth", says="Deeper plain networks train worse."),
        figures.Final(x="depth", lines="family", says="Only plain networks degrade with depth."),
    ),
    claims=(
        claims.Greater("Deeper plain networks train worse", "train_error", margin=1.0,
                     cell={"family": "plain", "depth": 56}, than={"family": "plain", "depth": 20}),
        claims.NotGreater("Deeper residual networks do not", "train_error", margin=1.0,
                        cell={"family": "resnet", "depth": 56},
                        than={"family": "resnet", "depth": 20}),
    ),
)
"""

FLOOR = {("plain", 20): 0.4, ("plain", 32): 5.5, ("plain", 56): 42.0}  # percent, where it ends


@pytest.fixture
def experiment_file(tmp_path: Path) -> Path:
    file = tmp_path / "experiments" / "degradation.py"
    file.parent.mkdir()
    file.write_text(EXPERIMENT)
    return file


@pytest.fixture
def results(tmp_path: Path, experiment_file: Path) -> Folder:
    """A full grid of 18 runs, all done."""
    experiment = experiments.load(experiment_file)
    folder = Folder(tmp_path / "results" / experiment.name)
    runs = [
        Run(
            f"{family}{depth}-seed{seed}-abcdef",
            {"family": family, "depth": depth},
            seed,
            ConfigDict(),
        )
        for family in experiment.axes["family"]
        for depth in experiment.axes["depth"]
        for seed in experiment.seeds
    ]
    write_plan(folder, experiment, runs, "resnet-jax run experiments/degradation.py")
    for run in runs:
        write_run(folder.runs / run.name, run)
    return folder


def write_run(path: Path, run: Run) -> None:
    """Writes what training does: records of an error that decays to a floor, a result."""
    rng = np.random.default_rng([run.seed, len(run.name), *run.name.encode()])
    floor = FLOOR.get((run.axes["family"], run.axes["depth"]), 0.3)
    floor *= float(np.exp(0.15 * rng.normal()))
    pace = 30 + run.axes["depth"] * (1.5 if run.axes["family"] == "plain" else 0.1)
    records = [
        {
            "kind": "train",
            "step": step,
            "epoch": step / 45,
            "loss": 2.3 * math.exp(-step / pace) + floor / 40,
            "error": max(0.0, floor + (90 - floor) * math.exp(-step / pace) + rng.normal()),
        }
        for step in range(10, 301, 10)
    ]
    final = {
        "train_error": floor,
        "train_loss": floor / 40,
        "test_error": floor + 2.0,
        "test_loss": floor / 30,
    }
    records.append(
        {"kind": "eval", "step": 300, "split": "test", "loss": 0.1, "error": floor + 2.0}
    )
    path.mkdir(parents=True)
    (path / "metrics.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    write_result(path, final=final)
    environment = {
        "python": "3.11.7",
        "platform": "Linux-6.1-x86_64",
        "packages": {"jax": "0.10.2", "flax": "0.12.0"},
        "devices": ["cpu"],
        "commit": "0123abc",
        "started": "2026-01-01T00:00:00",
    }
    (path / "environment.json").write_text(json.dumps(environment))


def write_result(path: Path, status: str = "done", message: str = "", **fields: object) -> None:
    seconds = {"compile": 2.0, "train": 10.0, "total": 12.5}
    result = {"status": status, "message": message, "step": 300, "seconds": seconds, **fields}
    (path / "result.json").write_text(json.dumps(result))


@pytest.fixture
def diverge(results: Folder) -> Callable[[str], None]:
    """Turns a run into one that diverged after a few steps."""

    def _diverge(name: str) -> None:
        path = results.runs / name
        lines = (path / "metrics.jsonl").read_text().splitlines()[:5]
        (path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
        write_result(path, "diverged", "the loss was nan at step 57", step=57)

    return _diverge


@pytest.fixture
def fail(results: Folder) -> Callable[[str], None]:
    """Turns a run into one that failed."""

    def _fail(name: str) -> None:
        write_result(results.runs / name, "failed", "RuntimeError: out of memory")

    return _fail


@pytest.fixture
def blank_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes reports draw empty figures, for tests of the text around them."""

    def draw_all(records: Records, folder: Path) -> dict[str, Path]:
        folder.mkdir(parents=True, exist_ok=True)
        files = {each.name: folder / f"{each.name}.svg" for each in records.experiment.figures}
        for file in files.values():
            file.write_text("<svg></svg>")
        return files

    monkeypatch.setattr(figures, "draw_all", draw_all)


class Page(HTMLParser):
    """A page's text, ids and links."""

    def __init__(self, file: Path):
        super().__init__()
        self.words: list[str] = []
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.ids.update([named["id"]] if "id" in named else [])
        self.links += [named[key] or "" for key in ("src", "href", "xlink:href") if key in named]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def page_at() -> type[Page]:
    """Reads a page."""
    return Page
