"""The index page of a folder of results, with a card for each experiment."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from resnet_jax.errors import one_line
from resnet_jax.lab.analysis.claims import Verdict
from resnet_jax.lab.formatting import count
from resnet_jax.lab.reporting import provenance, report
from resnet_jax.lab.reporting.drawings import drawing
from resnet_jax.lab.reporting.overview import title
from resnet_jax.lab.reporting.report import Report
from resnet_jax.lab.results.folder import Folder, experiments_in

PAGE = report.GALLERY


@dataclass(frozen=True)
class Card:
    """The card of one experiment.

    Attributes:
      title: name of the experiment, with its scale unless that is the default.
      error: why the experiment cannot be read, in one line; the other fields are then empty.
      question: the question that it asks.
      scale: its scale.
      state: the status of its runs: `17 of 18 runs done, 1 failed`.
      seeds: the number of seeds: `3 seeds`.
      counts: the number of verdicts by outcome: `4 supported, 1 inconclusive`.
      verdicts: one for each claim.
      figure: its first figure as SVG; empty if it has none.
      link: relative path of its report.
    """

    title: str
    error: str = ""
    question: str = ""
    scale: str = ""
    state: str = ""
    seeds: str = ""
    counts: str = ""
    verdicts: list[Verdict] = field(default_factory=list)
    figure: Markup = Markup()  # noqa: RUF009, an immutable string
    link: str = ""


@dataclass(frozen=True)
class Index:
    """The index page.

    Attributes:
      page: its file.
      cards: one for each experiment, by name.
    """

    page: Path
    cards: list[Card]

    @property
    def complete(self) -> bool:
        """Whether every experiment could be read."""
        return not any(card.error for card in self.cards)


def holds_experiments(results: Path) -> bool:
    """Whether a folder has subfolders that are results of experiments."""
    return any(Folder(path).plan.is_file() for path in results.glob("*"))


def build(results: Path) -> Index:
    """Rebuilds the report of every experiment in a folder of results, and the index page.

    The card of an experiment that cannot be read says why; the others are built all the same.

    Args:
      results: a folder with a subfolder for each experiment.

    Raises:
      UserError: the folder holds no experiment.
    """
    cards = [_card(path) for path in experiments_in(results)]
    page = report.pages().get_template("index.html.j2").render(cards=cards)
    (results / PAGE).write_text(page, encoding="utf-8")
    return Index(results / PAGE, cards)


def _card(path: Path) -> Card:
    try:
        built = report.build(path, gallery=True)
        experiment = built.records.experiment
        outcomes = Counter(verdict.outcome for verdict in built.verdicts)
        return Card(
            title=title(built),
            question=experiment.question,
            scale=experiment.scale,
            state=provenance.state(built.records),
            seeds=count(len(built.plan.seeds), "seed"),
            counts=", ".join(f"{n} {outcome}" for outcome, n in outcomes.most_common()),
            verdicts=built.verdicts,
            figure=_first_figure(built),
            link=f"{path.name}/{built.folder.report.name}",
        )
    except Exception as error:  # the experiment's own code may raise anything
        return Card(title=path.name, error=one_line(error))


def _first_figure(built: Report) -> Markup:
    for figure in built.records.experiment.figures[:1]:
        file = built.folder.figures / f"{figure.name}.svg"
        return drawing(file, f"{built.folder.path.name}-{figure.name}")
    return Markup()
