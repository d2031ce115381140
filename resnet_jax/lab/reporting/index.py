"""The page of all experiments in a folder of results: a card for each."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from resnet_jax.errors import one_line
from resnet_jax.lab.analysis.claims import Verdict
from resnet_jax.lab.formatting import count
from resnet_jax.lab.reporting import report
from resnet_jax.lab.reporting.overview import title
from resnet_jax.lab.reporting.report import Report, inline
from resnet_jax.lab.results.folder import Folder, experiments_in

PAGE = "index.html"


@dataclass(frozen=True)
class Card:
    """What the page says of one experiment.

    Attributes:
      title: its name, and its scale if that is not its default.
      damage: what is wrong with it, in a line; then there is nothing more to say.
      question: what it asks.
      scale: its scale.
      state: what became of its runs: `17 of 18 runs done, 1 failed`.
      seeds: how many runs each cell has: `3 seeds`.
      counts: how many verdicts there are of each kind: `4 supported, 1 inconclusive`.
      verdicts: one for each claim.
      figure: its first figure; empty if it has none.
      link: its report, from the page.
    """

    title: str
    damage: str = ""
    question: str = ""
    scale: str = ""
    state: str = ""
    seeds: str = ""
    counts: str = ""
    verdicts: list[Verdict] = field(default_factory=list)
    figure: Markup = Markup()  # noqa: RUF009, it is a string and does not change
    link: str = ""


@dataclass(frozen=True)
class Gallery:
    """The page and what is on it."""

    page: Path
    cards: list[Card]

    @property
    def damaged(self) -> bool:
        """Whether an experiment could not be read."""
        return any(card.damage for card in self.cards)


def holds_experiments(results: Path) -> bool:
    """Whether a folder is one of results, with a folder for each experiment."""
    return any(Folder(path).plan.is_file() for path in results.glob("*"))


def build(results: Path) -> Gallery:
    """Rebuilds the report of every experiment in a folder of results, and a page of all of them.

    An experiment that cannot be read has a card that says why, and stops no other.

    Args:
      results: the folder that holds one folder for each experiment.

    Raises:
      UserError: the folder holds no experiment.
    """
    cards = [_card(path) for path in experiments_in(results)]
    page = report.pages().get_template("index.html.j2").render(cards=cards)
    (results / PAGE).write_text(page, encoding="utf-8")
    return Gallery(results / PAGE, cards)


def _card(path: Path) -> Card:
    try:
        built = report.build(path)
        experiment = built.records.experiment
        outcomes = Counter(verdict.outcome for verdict in built.verdicts)
        return Card(
            title=title(built),
            question=experiment.question,
            scale=experiment.scale,
            state=report.state(built.records),
            seeds=count(len(experiment.seeds), "seed"),
            counts=", ".join(f"{n} {outcome}" for outcome, n in outcomes.most_common()),
            verdicts=built.verdicts,
            figure=_first_figure(built),
            link=f"{path.name}/{built.folder.report.name}",
        )
    except Exception as error:  # an experiment's own code may raise anything
        return Card(title=path.name, damage=one_line(error))


def _first_figure(built: Report) -> Markup:
    for figure in built.records.experiment.figures[:1]:
        file = built.folder.figures / f"{figure.name}.svg"
        return inline(file, f"{built.folder.path.name}-{figure.name}")
    return Markup()
