"""The report of an experiment: one self-contained HTML file, built from the records alone."""

import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from resnet_jax.lab import figures
from resnet_jax.lab.analysis import claims, tables
from resnet_jax.lab.analysis.claims import Verdict
from resnet_jax.lab.design.grid_filter import GridFilter
from resnet_jax.lab.formatting import capitalized, count, duration, listed, with_unit
from resnet_jax.lab.measures import describe
from resnet_jax.lab.reporting.drawings import drawing
from resnet_jax.lab.reporting.main_table import MainTable, main_table
from resnet_jax.lab.reporting.paper import PaperComparison, compare_with_paper
from resnet_jax.lab.results import folder, records
from resnet_jax.lab.results.folder import Folder, GridPlan
from resnet_jax.lab.results.records import Records
from resnet_jax.training.run.run_folder import RunFolder


@dataclass(frozen=True)
class Report:
    """The results of an experiment, finished or not.

    Attributes:
      folder: the experiment's folder of results.
      plan: the runs of its grid.
      records: the records of the runs.
      table: one row for each cell and measure (`tables.aggregate`).
      verdicts: one for each claim, in order.
      findings: the results in sentences.
      comparison: the paper's numbers beside ours; None if the experiment has no paper.
    """

    folder: Folder
    plan: GridPlan
    records: Records
    table: pd.DataFrame
    verdicts: list[Verdict]
    findings: list[str]
    comparison: PaperComparison | None = None

    @property
    def main(self) -> MainTable:
        """The main table: one axis as columns, the best in bold, the paper's numbers."""
        warning = self.comparison.warning if self.comparison else ""
        return main_table(self.table, self.records.experiment, warning)

    @property
    def complete(self) -> bool:
        """Whether every run of the plan is done or diverged."""
        return self.ended({})

    @property
    def warning(self) -> str:
        """Which files of this package differed between the runs; empty if none did."""
        if not (files := self.records.code_differs):
            return ""
        return (
            f"The runs were not all made by the same code: {listed(files)} differed. The table "
            "pools them; environment.json of each run names its commit."
        )

    def ended(self, only: GridFilter) -> bool:
        """Whether every run of the selected part of the grid is done or diverged."""
        runs = self.records.runs
        for axis, values in only.items():
            runs = runs[runs[axis].isin(values)]
        return len(records.with_values(runs)) == len(runs)


def read(path: str | Path) -> Report:
    """Reads and judges the results of an experiment, without writing anything.

    Args:
      path: the experiment's folder of results.

    Raises:
      UserError: the folder holds no results, or the records of a run cannot be read.
    """
    place = Folder(Path(path))
    plan, found = folder.read_plan(place), records.read(place)
    experiment = found.experiment
    return Report(
        folder=place,
        plan=plan,
        records=found,
        table=tables.aggregate(found.runs, experiment),
        verdicts=claims.judge(experiment.claims, found.runs, experiment.label, experiment.looks),
        findings=list(experiment.findings(found)) if experiment.findings else [],
        comparison=compare_with_paper(found, (place.runs / run.name for run in plan.runs)),
    )


def build(path: str | Path) -> Report:
    """Rebuilds the tables, the figures and the report of an experiment from its records.

    Args:
      path: the experiment's folder of results.

    Returns:
      The results that the report shows.

    Raises:
      UserError: the folder holds no results, or the records of a run cannot be read.
    """
    report = read(path)
    report.records.runs.to_csv(report.folder.runs_table, index=False)
    report.table.to_csv(report.folder.table, index=False)
    drawings = figures.draw_all(report.records, report.folder.figures)
    report.folder.report.write_text(_render(report, drawings), encoding="utf-8")
    return report


def pages() -> jinja2.Environment:
    """Returns the environment of the page templates."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    made = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.filters["capitalized"] = capitalized
    return made


def _render(report: Report, drawings: dict[str, Path]) -> str:
    experiment = report.records.experiment
    return (
        pages()
        .get_template("report.html.j2")
        .render(
            plan=report.plan,
            experiment=experiment,
            verdicts=report.verdicts,
            findings=report.findings,
            comparison=report.comparison,
            figures=[
                (drawing(drawings[each.name], each.name), each.caption(report.records))
                for each in experiment.figures
            ],
            table=tables.for_reading(report.table, experiment),
            runs=tables.runs_for_reading(report.records.runs, experiment),
            messages=report.records.runs.query("message != ''").to_dict("records"),
            state=state(report.records),
            incomplete=not report.complete,
            warning=report.warning,
            commits=_commits(report),
            fewest_pairs=claims.FEWEST_PAIRS,
            environment=environment(report.records.environments.values()),
            time=time_taken(report.records.runs),
            unplanned=_unplanned(report.records.unplanned),
            source=report.folder.experiment.read_text(encoding="utf-8"),
            describe=describe,
            with_unit=with_unit,
        )
    )


def _commits(report: Report) -> dict[str, str]:
    """The commits of the runs, each with the path of a patch of uncommitted changes, or empty."""
    commits: dict[str, str] = {}
    for name, environment in report.records.environments.items():
        commit = environment.get("commit", "").removesuffix("+changes")
        patch = RunFolder(report.folder.runs / name).changes
        if commit and not commits.get(commit):
            commits[commit] = shlex.quote(str(patch.resolve())) if patch.exists() else ""
    return commits


def state(found: Records) -> str:
    """The status of the runs in words: `17 of 18 runs done, 1 failed`."""
    statuses = Counter(found.runs["status"])
    words = [f"{statuses['done']} of {count(len(found.runs), 'run')} done"]
    words += [f"{statuses[s]} {s}" for s in ("diverged", "failed", "missing") if statuses[s]]
    return ", ".join(words)


def _unplanned(n: int) -> str:
    verb = "was" if n == 1 else "were"
    return f"{count(n, 'run')} of other settings or seeds {verb} ignored." if n else ""


def environment(environments: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Devices, platform, versions and commits of the runs: the distinct values of each entry."""
    rows: dict[str, dict[str, None]] = {}
    for each in environments:
        packages = [f"{name} {version}" for name, version in each.get("packages", {}).items()]
        entries = {
            "Devices": ", ".join(map(str, each.get("devices", []))),
            "Platform": each.get("platform"),
            "Python": each.get("python"),
            "Packages": ", ".join(packages),
            "Commit": each.get("commit"),
        }
        for entry, value in entries.items():
            if value:
                rows.setdefault(entry, {})[str(value)] = None
    return {entry: "; ".join(values) for entry, values in rows.items()}


def time_taken(runs: pd.DataFrame) -> str:
    """The summed time of the runs, and how much of it was compilation."""
    total, compiling = runs["seconds_total"].sum(), runs["seconds_compile"].sum()
    if not total:
        return ""
    return f"{duration(total)}, of which {duration(compiling)} ({compiling / total:.0%}) compiling"
