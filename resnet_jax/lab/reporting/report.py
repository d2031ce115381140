"""The report of an experiment: one HTML file with all of it, from the records alone."""

import re
import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from resnet_jax.lab import figures
from resnet_jax.lab.analysis import claims, tables
from resnet_jax.lab.analysis.claims import Verdict
from resnet_jax.lab.design.grid_filter import GridFilter
from resnet_jax.lab.formatting import capitalized, count, duration, listed, with_unit
from resnet_jax.lab.measures import describe
from resnet_jax.lab.reporting import paper
from resnet_jax.lab.reporting.paper import Beside
from resnet_jax.lab.results import folder, records
from resnet_jax.lab.results.folder import Folder, GridPlan
from resnet_jax.lab.results.records import Records
from resnet_jax.training.run.run_folder import RunFolder


@dataclass(frozen=True)
class Report:
    """What an experiment found so far, and where it is written.

    Attributes:
      folder: the experiment's folder, whose tables, figures and report are up to date.
      plan: what the experiment asks for.
      records: what its runs left behind.
      table: one row for each cell and measure.
      verdicts: one for each claim, in their order.
      findings: sentences that say in words what was found.
      beside: the paper's figures beside ours; None if the experiment has no paper.
    """

    folder: Folder
    plan: GridPlan
    records: Records
    table: pd.DataFrame
    verdicts: list[Verdict]
    findings: list[str]
    beside: Beside | None = None

    @property
    def complete(self) -> bool:
        """Whether every run of the plan ended, be it that it diverged."""
        return self.ended({})

    @property
    def warning(self) -> str:
        """That the runs were not all made by the same code, and where it differs; else empty."""
        if not (files := self.records.code_differs):
            return ""
        return (
            f"The runs were not all made by the same code: {listed(files)} differed between them. "
            "The table does not tell them apart; environment.json of each has its commit."
        )

    def ended(self, only: GridFilter) -> bool:
        """The same of the runs of a piece of the grid."""
        runs = self.records.runs
        for axis, values in only.items():
            runs = runs[runs[axis].isin(values)]
        return len(records.with_values(runs)) == len(runs)


def read(path: str | Path) -> Report:
    """What an experiment found so far, from its records.

    Args:
      path: the experiment's folder of results.

    Raises:
      UserError: the folder holds no results, or records of a run cannot be read.
    """
    place = Folder(Path(path))
    plan, found = folder.read_plan(place), records.read(place)
    experiment = found.experiment
    return Report(
        folder=place,
        plan=plan,
        records=found,
        table=tables.aggregate(found.runs, experiment),
        verdicts=claims.judge(experiment.claims, found.runs, experiment.label),
        findings=list(experiment.findings(found)) if experiment.findings else [],
        beside=paper.beside(found, (place.runs / run.name for run in plan.runs)),
    )


def build(path: str | Path) -> Report:
    """Rebuilds the tables, the figures and the report of an experiment from its records.

    Args:
      path: the experiment's folder of results.

    Returns:
      What it found, for a terminal to show.

    Raises:
      UserError: the folder holds no results, or records of a run cannot be read.
    """
    report = read(path)
    report.records.runs.to_csv(report.folder.runs_table, index=False)
    report.table.to_csv(report.folder.table, index=False)
    drawings = figures.draw_all(report.records, report.folder.figures)
    report.folder.report.write_text(_render(report, drawings), encoding="utf-8")
    return report


def pages() -> jinja2.Environment:
    """The templates of pages, beside this file."""
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
            beside=report.beside,
            figures=[
                (inline(drawings[each.name], each.name), each.caption(report.records))
                for each in experiment.figures
            ],
            table=tables.for_reading(report.table, experiment),
            runs=tables.runs_for_reading(report.records.runs, experiment),
            lost=report.records.runs.query("message != ''").to_dict("records"),
            state=state(report.records),
            incomplete=not report.complete,
            warning=report.warning,
            commits=_commits(report),
            fewest_pairs=claims.FEWEST_PAIRS,
            environment=environment(report.records.environments.values()),
            time=time_taken(report.records.runs),
            strangers=_strangers(report.records.unplanned),
            source=report.folder.experiment.read_text(encoding="utf-8"),
            describe=describe,
            with_unit=with_unit,
        )
    )


def _commits(report: Report) -> dict[str, str]:
    """The commits that runs are of, each with a patch of what differed from it, if anything did."""
    commits: dict[str, str] = {}
    for name, environment in report.records.environments.items():
        commit = environment.get("commit", "").removesuffix("+changes")
        patch = RunFolder(report.folder.runs / name).changes
        if commit and not commits.get(commit):
            commits[commit] = shlex.quote(str(patch.resolve())) if patch.exists() else ""
    return commits


def inline(svg: Path, name: str) -> Markup:
    """An SVG file as an element of a page, its ids made the page's own by a name before each."""
    text = svg.read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    # The width in points becomes the greatest one: on a narrow page the figure shrinks, in the
    # proportions that the viewBox keeps, and on a wide one its letters stay those of the others.
    text = re.sub(
        r'^<svg\b([^>]*?) width="([^"]*)"', r'<svg\1 style="width: 100%; max-width: \2"', text
    )
    text = re.sub(r'^<svg\b([^>]*?) height="[^"]*"', r"<svg\1", text)
    return Markup(text)


def state(found: Records) -> str:
    """What became of the runs: `17 of 18 runs done, 1 failed`."""
    statuses = Counter(found.runs["status"])
    words = [f"{statuses['done']} of {count(len(found.runs), 'run')} done"]
    words += [f"{statuses[s]} {s}" for s in ("diverged", "failed", "missing") if statuses[s]]
    return ", ".join(words)


def _strangers(n: int) -> str:
    return f"{count(n, 'other run')} {'lies' if n == 1 else 'lie'}" if n else ""


def environment(environments: Iterable[dict[str, Any]]) -> dict[str, str]:
    """What the runs ran on, in words: each distinct value of each entry, in the order met."""
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
    """How long the runs took, one after the other, and how much of it was compilation."""
    total, compiling = runs["seconds_total"].sum(), runs["seconds_compile"].sum()
    if not total:
        return ""
    return f"{duration(total)}, of which {duration(compiling)} ({compiling / total:.0%}) compiling"
