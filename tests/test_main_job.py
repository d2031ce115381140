"""The main job, whole, as a person types it: experiments/degradation.py at a tiny size."""

import csv
import json
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# The real file with its figures and claims, but networks of 8 and 14 layers in the cells of 20 and
# 56: the tests below check that the job works, not what it finds.
EXPERIMENT = f"""
from dataclasses import replace
from resnet_jax.lab import load

STAND_INS = {{20: 8, 56: 14}}

full = load({str(ROOT / "experiments" / "degradation.py")!r})
experiment = replace(
    full,
    name="",
    base={str(ROOT / "configs" / "digits.py")!r},
    axes={{"family": ("plain", "resnet"), "depth": tuple(STAND_INS)}},
    seeds=(0, 1, 2),
    configure=lambda family, depth: full.configure(family, STAND_INS[depth]),
    settings={{
        **full.settings,
        "train.steps": 8,
        "train.log_steps": 2,
        "train.checkpoint_steps": 4,
        "schedule.warmup_steps": 2,
    }},
)
"""

CELLS = 2 * 2
RUNS = CELLS * 3


class Links(HTMLParser):
    """What a page loads or points to, and the elements that it is made of."""

    def __init__(self, page: str):
        super().__init__()
        self.targets: list[str] = []
        self.elements: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        loads = {"src", "href", "xlink:href", "srcset", "data", "poster"}
        self.targets += [value for name, value in attrs if name in loads and value]


class Job:
    """The command on the experiment's file, into a folder of results."""

    def __init__(self, folder: Path, *options: str):
        self.options = options
        self.file = folder / "tiny.py"
        self.file.write_text(EXPERIMENT)
        self.results = folder / "results"
        self.folder = self.results / "tiny"

    @property
    def command(self) -> list[str]:
        place = ["--results", str(self.results), *self.options]
        return [sys.executable, "-m", "resnet_jax.cli", "run", str(self.file), *place]

    def run(self) -> str:
        """Runs the command to its end and returns what it printed."""
        done = subprocess.run(
            self.command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        return done.stdout

    def kill_past_a_checkpoint(self) -> list[str]:
        """Starts the command, and kills it when its second run has a checkpoint.

        Returns:
          The names of the runs that it started; it was killed in the last one.
        """
        process = subprocess.Popen(
            self.command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            while len(self.begun()) < 2 or not (self.begun()[-1] / "checkpoints" / "4").exists():
                assert process.poll() is None, "it ended before it could be killed"
                time.sleep(0.005)
        finally:
            process.kill()
            process.wait()
        return [path.name for path in self.begun()]

    def begun(self) -> list[Path]:
        """The folders of the runs that have started, in order."""
        claimed = self.folder.glob("runs/*/environment.json")
        return [path.parent for path in sorted(claimed, key=lambda path: path.stat().st_mtime_ns)]

    def ended(self) -> list[str]:
        return sorted(path.parent.name for path in self.folder.glob("runs/*/result.json"))

    def measured(self) -> dict[str, tuple]:
        """Each run's final numbers and records, without the times."""
        return {
            path.name: (
                json.loads((path / "result.json").read_text())["final"],
                [
                    json.loads(line) | {"images_per_second": None}
                    for line in (path / "metrics.jsonl").read_text().splitlines()
                ],
            )
            for path in self.folder.glob("runs/*")
        }


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Job, str]:
    """The job, run from beginning to end, and what it printed."""
    job = Job(tmp_path_factory.mktemp("whole"))
    return job, job.run()


def test_each_run_keeps_config_environment_metrics_and_checkpoints(whole):
    job, _ = whole
    runs = list(job.folder.glob("runs/*"))
    assert len(runs) == RUNS
    for run in runs:
        config = json.loads((run / "config.json").read_text())
        assert (config["data"]["name"], config["train"]["steps"]) == ("digits", 8)
        assert run.name.startswith(f"{config['model']['name']}-seed{config['seed']}-")
        assert json.loads((run / "environment.json").read_text())["packages"]["jax"]
        records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        assert [each["step"] for each in records if each["kind"] == "train"] == [2, 4, 6, 8]
        examples = {each["split"]: each["examples"] for each in records if each["kind"] == "eval"}
        assert examples == {"train": 1437, "test": 360}
        assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["4", "8"]
        assert not (run / "error.txt").exists()


def test_the_tables_hold_every_run_and_every_cell(whole):
    job, _ = whole
    with open(job.folder / "runs.csv") as file:
        runs = {row["run"]: row for row in csv.DictReader(file)}
    assert sorted(runs) == job.ended()
    for name, (final, _) in job.measured().items():
        assert runs[name]["status"] == "done"
        assert float(runs[name]["train_error"]) == final["train_error"]
        assert float(runs[name]["test_error"]) == final["test_error"]
    with open(job.folder / "table.csv") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 2 * 2 * 2
    for row in table:
        of_cell = [
            float(run[row["measure"]])
            for run in runs.values()
            if (run["family"], run["depth"]) == (row["family"], row["depth"])
        ]
        assert (int(row["n"]), len(of_cell)) == (3, 3)
        assert float(row["mean"]) == pytest.approx(sum(of_cell) / 3)


def test_the_figures_are_kept_as_png_and_svg(whole):
    job, _ = whole
    files = [path for path in (job.folder / "figures").iterdir() if path.is_file()]
    figures = sorted(path.name for path in files)
    names = sorted({name.rpartition(".")[0] for name in figures})
    assert len(names) >= 2
    assert figures == [f"{name}.{kind}" for name in names for kind in ("png", "svg")]
    for path in files:
        head = path.read_bytes()[:200]
        assert head.startswith(b"\x89PNG") if path.suffix == ".png" else b"<?xml" in head


def test_the_report_is_one_page_that_loads_nothing(whole):
    job, _ = whole
    page = (job.folder / "report.html").read_text()
    links = Links(page)
    assert links.elements.count("figure") == 2
    assert not {"link", "iframe", "object", "embed"} & set(links.elements)
    assert [to for to in links.targets if not to.startswith(("#", "data:"))] == []
    assert re.findall(r"@import|url\((?!['\"]?(?:#|data:))", page) == []
    for name in job.ended():
        assert name in page


def test_the_command_tells_of_each_run_and_ends_with_verdicts_and_the_report(whole):
    job, told = whole
    assert f"{RUNS} runs, 0 of them done before" in told
    for number, name in enumerate(job.ended(), start=1):
        assert f"[{number}/{RUNS}] " in told
        assert re.search(rf"{name}: training error [\d.]+%, test error [\d.]+%", told)
    assert "\x1b" not in told, "a log has no colours"
    verdicts = re.findall(r"^ *(supported|refuted|inconclusive)  \S", told, re.MULTILINE)
    assert len(verdicts) == 5
    assert told.splitlines()[-1] == f"report: {job.folder / 'report.html'}"


def test_run_again_it_retrains_nothing_and_says_the_same(whole):
    job, told = whole
    before = {path: path.stat().st_mtime_ns for path in job.folder.rglob("runs/**/*")}
    began = time.monotonic()
    again = job.run()
    seconds = time.monotonic() - began
    assert f"{RUNS} runs, {RUNS} of them done before" in again
    assert {path: path.stat().st_mtime_ns for path in job.folder.rglob("runs/**/*")} == before
    question = "Do deeper plain networks train worse"
    assert again.partition(question)[2] == told.partition(question)[2] != ""
    assert seconds < 30  # 10 on a quiet machine


def test_killed_in_the_middle_it_does_what_is_missing_and_ends_alike(whole, tmp_path):
    uncut, _ = whole
    job = Job(tmp_path, "--seeds", "1")
    *finished, last = job.kill_past_a_checkpoint()
    done = job.ended()
    assert {*finished} <= {*done} <= {*finished, last}
    assert len(done) < CELLS

    told = job.run()
    assert f"{CELLS} runs, {len(done)} of them done before" in told
    begun_again = re.findall(r"^\[\d+/\d+\] (\S+): 8 steps", told, re.MULTILINE)
    of_one_seed = {name: found for name, found in uncut.measured().items() if "-seed0-" in name}
    assert sorted([*done, *begun_again]) == sorted(of_one_seed)
    if last not in done:
        assert re.search(rf"{last}: 8 steps of 32 images, from step [48]$", told, re.MULTILINE)
    assert job.measured() == of_one_seed
