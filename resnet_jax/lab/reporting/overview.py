"""The table of all claims of all experiments, for a Markdown page."""

from collections.abc import Callable, Iterable
from pathlib import Path

from resnet_jax.errors import UserError, one_line
from resnet_jax.lab.analysis.claims import Verdict
from resnet_jax.lab.analysis.tables import Readable
from resnet_jax.lab.formatting import NOT_KNOWN, count
from resnet_jax.lab.inference import MOST_SEEDS
from resnet_jax.lab.reporting import report
from resnet_jax.lab.reporting.answer import by_outcome
from resnet_jax.lab.reporting.report import Report
from resnet_jax.lab.results.folder import experiments_in

HEAD = [
    "experiment",
    "claim",
    "theory or paper",
    "ours (95% interval)",
    "n",
    "decided at",
    "verdict",
]


def claims_table(results: Path, warn: Callable[[str], None] = lambda message: None) -> Readable:
    """Tabulates the claims of every experiment in a folder of results, whatever the verdict.

    Args:
      results: a folder with a subfolder for each experiment.
      warn: called with a message for each experiment that cannot be read and is skipped.

    Returns:
      One row for each claim: experiment (with its scale unless that is the default), claim, what
      theory or a paper reports, our estimate with its interval, n, the number of seeds at which it
      was decided or would probably be, and the verdict.

    Raises:
      UserError: the folder holds no experiment, or no experiment makes a claim.
    """
    folders = experiments_in(results)
    rows = []
    for path in folders:
        try:
            found = report.read(path)
        except Exception as error:  # the experiment's own code may raise anything
            warn(f"{path} is skipped: {one_line(error)}")
            continue
        rows += [[title(found), *_row(verdict)] for verdict in found.verdicts]
    if not rows:
        raise UserError(f"{results}: none of its {count(len(folders), 'experiment')} makes a claim")
    return Readable(HEAD, rows, [head == "n" for head in HEAD])


def section(table: Readable) -> str:
    """Formats the table of claims as Markdown, under a line with the tally of its verdicts."""
    experiments = {row[0] for row in table.rows}
    total = f"{len(table.rows)} claims of {count(len(experiments), 'experiment')}"
    return f"{tally(row[-1] for row in table.rows)}: {total}.\n\n{markdown(table)}"


def tally(outcomes: Iterable[str]) -> str:
    """Counts verdicts by outcome, in words.

    Example:
      >>> tally(["supported", "inconclusive", "supported"])
      '2 supported, 1 inconclusive'
    """
    return ", ".join(f"{n} {outcome}" for outcome, n in by_outcome(outcomes).items() if n)


def title(found: Report) -> str:
    """An experiment's name, with its scale unless that is the default: `degradation (paper)`."""
    experiment = found.records.experiment
    return experiment.name if experiment.as_written else f"{experiment.name} ({experiment.scale})"


def markdown(table: Readable) -> str:
    """Formats a table as Markdown."""
    lines = [table.head, ["---:" if numeric else "---" for numeric in table.numeric], *table.rows]
    return "".join(f"| {' | '.join(map(_escape, line))} |\n" for line in lines)


def _row(verdict: Verdict) -> list[str]:
    ours = "; ".join([verdict.without_n, *verdict.notes])
    n = count(verdict.n, verdict.counted)
    return [verdict.text, verdict.published or NOT_KNOWN, ours, n, _look(verdict), verdict.outcome]


def _look(verdict: Verdict) -> str:
    """The number of seeds at which a claim was decided, or would probably be."""
    if verdict.outcome != "inconclusive":
        return count(verdict.look, "seed") if verdict.look else NOT_KNOWN
    if not verdict.needed:
        return NOT_KNOWN
    more = " or more" if verdict.needed >= MOST_SEEDS else ""
    return f"open; about {verdict.needed:,} seeds{more} needed"


def _escape(cell: str) -> str:
    return cell.replace("|", r"\|")
