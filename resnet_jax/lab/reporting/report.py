"""The report of an experiment: one self-contained HTML file, built from the records alone."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import pandas as pd

from resnet_jax.lab import figures
from resnet_jax.lab.analysis import claims, tables
from resnet_jax.lab.analysis.tables import Readable
from resnet_jax.lab.analysis.verdicts import FEWEST_PAIRS, Verdict
from resnet_jax.lab.design.grid_filter import GridFilter
from resnet_jax.lab.formatting import NOT_KNOWN, capitalized, decimals, listed, number, with_unit
from resnet_jax.lab.measures import describe
from resnet_jax.lab.reporting import answer, provenance
from resnet_jax.lab.reporting.drawings import drawing
from resnet_jax.lab.reporting.forest import forest
from resnet_jax.lab.reporting.main_table import MainTable, main_table
from resnet_jax.lab.reporting.paper import PaperComparison, compare_with_paper
from resnet_jax.lab.reporting.scaling import scaling_section
from resnet_jax.lab.reporting.tuning import tuning_section
from resnet_jax.lab.results import folder, records, tuning
from resnet_jax.lab.results.folder import Folder, GridPlan
from resnet_jax.lab.results.records import Records

GALLERY = "index.html"  # in the folder above an experiment's


@dataclass(frozen=True)
class Section:
    """A part of the report beside those that every report has.

    Attributes:
      title: its heading.
      tables: its tables.
      notes: sentences below them.
    """

    title: str
    tables: list[Readable]
    notes: list[str] = field(default_factory=list)


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
      sections: further parts, such as what tuning chose.
    """

    folder: Folder
    plan: GridPlan
    records: Records
    table: pd.DataFrame
    verdicts: list[Verdict]
    findings: list[str]
    comparison: PaperComparison | None = None
    sections: list[Section] = field(default_factory=list)

    @property
    def answer(self) -> str:
        """What was found, in one sentence: by its claims, or else the first of the findings."""
        return answer.answer(self.verdicts) or next(iter(self.findings), "")

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
    verdicts = claims.judge(experiment.claims, found.runs, experiment.label, experiment.looks)
    return Report(
        folder=place,
        plan=plan,
        records=found,
        table=tables.aggregate(found.runs, experiment),
        verdicts=verdicts,
        findings=list(experiment.findings(found)) if experiment.findings else [],
        comparison=compare_with_paper(found, (place.runs / run.name for run in plan.runs)),
        sections=[*_tuning(place, plan, found, verdicts), *_scaling(found)],
    )


def _tuning(
    place: Folder, plan: GridPlan, found: Records, verdicts: Sequence[Verdict]
) -> Iterator[Section]:
    """What was tuned; compared with the experiment's own scale, if its results lie beside these."""
    experiment = found.experiment
    cells = tuning.read(place.runs, plan.tuning, experiment.diverged)
    beside = Folder(place.path.parent / plan.name)
    compared = cells and not experiment.as_written and beside.plan.is_file()
    untuned = read(beside.path).verdicts if compared else ()
    if made := tuning_section(experiment, cells, verdicts, untuned):
        yield Section("Tuning", [made.table], made.notes)
        if made.verdicts:
            yield Section("Verdicts without and with tuning", [made.verdicts], made.flips)


def _scaling(found: Records) -> Iterator[Section]:
    if made := scaling_section(found):
        yield Section("Scaling laws", [made.table], made.notes)


def build(path: str | Path, gallery: bool = False) -> Report:
    """Rebuilds the tables, the figures and the report of an experiment from its records.

    Args:
      path: the experiment's folder of results.
      gallery: whether the folder above has, or is about to have, the page of all experiments; the
        report links to it.

    Returns:
      The results that the report shows.

    Raises:
      UserError: the folder holds no results, or the records of a run cannot be read.
    """
    report = read(path)
    report.records.runs.to_csv(report.folder.runs_table, index=False)
    report.table.to_csv(report.folder.table, index=False)
    drawings = figures.draw_all(report.records, report.folder.figures)
    has_gallery = gallery or (report.folder.path.parent / GALLERY).is_file()
    page = _render(report, drawings, f"../{GALLERY}" if has_gallery else "")
    report.folder.report.write_text(page, encoding="utf-8")
    return report


def pages() -> jinja2.Environment:
    """Returns the environment of the page templates."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    made = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.filters["capitalized"] = capitalized
    return made


def _render(report: Report, drawings: dict[str, Path], gallery: str) -> str:
    experiment, found = report.records.experiment, report.records
    environments = found.environments.values()
    return (
        pages()
        .get_template("report.html.j2")
        .render(
            report=report,
            plan=report.plan,
            experiment=experiment,
            verdicts=report.verdicts,
            groups=forest(experiment, report.verdicts),
            looks=answer.looks(report.verdicts, report.plan.looks),
            needed=answer.needed,
            p_words=p_words,
            ends=_ends,
            figures=[
                (drawing(drawings[each.name], each.name), each.caption(found))
                for each in experiment.figures
            ],
            table=tables.for_reading(report.table, experiment),
            runs=tables.runs_for_reading(found.runs, experiment),
            messages=found.runs.query("message != ''").to_dict("records"),
            state=provenance.state(found),
            seeds=provenance.seeds_by_cell(found),
            commits=provenance.commits(found, report.folder),
            fewest_pairs=FEWEST_PAIRS,
            dates=provenance.dates(environments),
            machines=provenance.machines(environments),
            environment=provenance.environment(environments),
            time=provenance.time_taken(found.runs),
            unplanned=provenance.unplanned(found.unplanned),
            source=report.folder.experiment.read_text(encoding="utf-8"),
            describe=describe,
            with_unit=with_unit,
            gallery=gallery,
        )
    )


def p_words(p: float) -> str:
    """A p-value with two digits: `0.0012`, `below 0.0001`; empty if it is NaN."""
    if math.isnan(p):
        return ""
    return "below 0.0001" if p < 1e-4 else f"{p:.2g}"


def _ends(ends: tuple[float, float], sign: bool) -> str:
    """An interval in words: `+1.2 to +3.4`; empty if there is none."""
    places = decimals([ends[1] - ends[0]])
    low, high = (number(end, places, sign) for end in ends)
    return "" if NOT_KNOWN in (low, high) else f"{low} to {high}"
