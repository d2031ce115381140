"""The page of a folder of results: every experiment with its verdicts and its first figure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from resnet_jax.errors import one_line
from resnet_jax.lab.analysis.claims import Verdict
from resnet_jax.lab.figures.base import narrow
from resnet_jax.lab.formatting import count
from resnet_jax.lab.reporting import answer, provenance, report
from resnet_jax.lab.reporting.answer import by_outcome
from resnet_jax.lab.reporting.overview import tally, title
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
      state: the status of its runs: `17 of 18 runs done, 1 failed`.
      seeds: the number of seeds: `3 seeds`.
      date: the day on which its last run began, as YYYY-MM-DD; empty if that is not known.
      command: the command that goes on with it; empty if every run has ended.
      departures: the number of departures from its registered plan.
      warning: which files of this package differed between its runs; empty if none did.
      verdicts: one for each claim.
      figure: relative path of its first figure; empty if it has none.
      narrow: that of the figure for narrow pages; empty if there is none.
      caption: of the figure.
      link: relative path of its report.
    """

    title: str
    error: str = ""
    question: str = ""
    state: str = ""
    seeds: str = ""
    date: str = ""
    command: str = ""
    departures: int = 0
    warning: str = ""
    verdicts: list[Verdict] = field(default_factory=list)
    figure: str = ""
    narrow: str = ""
    caption: str = ""
    link: str = ""

    @property
    def counts(self) -> str:
        """The number of verdicts by outcome: `4 supported, 1 inconclusive`."""
        return tally(verdict.outcome for verdict in self.verdicts)


@dataclass(frozen=True)
class Index:
    """The page of a folder of results.

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

    @property
    def verdicts(self) -> list[Verdict]:
        """The verdicts of all experiments."""
        return [verdict for card in self.cards for verdict in card.verdicts]

    @property
    def tally(self) -> str:
        """The number of verdicts by outcome: `75 supported, 13 refuted, 14 inconclusive`."""
        return tally(verdict.outcome for verdict in self.verdicts)

    @property
    def scope(self) -> str:
        """What the verdicts are of: `102 claims of 22 experiments`, and how many are unreadable."""
        claims = count(len(self.verdicts), "claim")
        read = [card for card in self.cards if not card.error]
        unread = len(self.cards) - len(read)
        more = f"; {count(unread, 'experiment')} cannot be read" if unread else ""
        return f"{claims} of {count(len(read), 'experiment')}{more}"


def holds_experiments(results: Path) -> bool:
    """Whether a folder has subfolders that are results of experiments."""
    return any(Folder(path).plan.is_file() for path in results.glob("*"))


def build(results: Path, told: Callable[[str], None] = lambda name: None) -> Index:
    """Rebuilds the report of every experiment in a folder of results, and the index page.

    The card of an experiment that cannot be read says why; the others are built all the same.

    Args:
      results: a folder with a subfolder for each experiment.
      told: called with the name of each experiment before its report is built.

    Raises:
      UserError: the folder holds no experiment.
    """
    cards = []
    for path in experiments_in(results):
        told(path.name)
        cards.append(_card(path))
    built = Index(results / PAGE, cards)
    page = report.pages().get_template("index.html.j2")
    counts = by_outcome(verdict.outcome for verdict in built.verdicts)
    built.page.write_text(
        page.render(index=built, counts=counts, needed=answer.needed), encoding="utf-8"
    )
    return built


def _card(path: Path) -> Card:
    try:
        built = report.build(path, gallery=True)
        return Card(
            title=title(built),
            question=built.records.experiment.question,
            state=provenance.state(built.records),
            seeds=count(len(built.plan.seeds), "seed"),
            date=_last(list(built.records.environments.values())),
            command="" if built.complete else built.plan.command,
            departures=len(built.plan.departures),
            warning=built.warning,
            verdicts=built.verdicts,
            link=f"{path.name}/{built.folder.report.name}",
            **_first_figure(built),
        )
    except Exception as error:  # the experiment's own code may raise anything
        return Card(title=path.name, error=one_line(error))


def _last(environments: Sequence[dict]) -> str:
    return max((str(each.get("started", ""))[:10] for each in environments), default="")


def _first_figure(built: Report) -> dict[str, str]:
    """The first figure's paths, relative to the page, and its caption."""
    for figure in built.records.experiment.figures[:1]:
        file = built.folder.figures / f"{figure.name}.svg"
        paths = {"figure": file, "narrow": narrow(file)}
        results = built.folder.path.parent
        known = {
            name: str(path.relative_to(results)) for name, path in paths.items() if path.exists()
        }
        return known | {"caption": figure.caption(built.records)}
    return {}
