"""All claims of all experiments in one table, for a page that tells what was found."""

from pathlib import Path

from resnet_jax.errors import UserError
from resnet_jax.lab import report
from resnet_jax.lab.loading import experiments_in
from resnet_jax.lab.tables import Readable
from resnet_jax.lab.verdict import Verdict

BEGIN, END = "<!-- claims -->", "<!-- end of claims -->"
HEAD = ["claim", "theory or paper", "ours (95% interval)", "verdict"]


def claims_table(results: Path) -> Readable:
    """The claims of every experiment in a folder of results, whatever became of them.

    Args:
      results: the folder that holds one folder for each experiment.

    Returns:
      One row for each claim: the experiment, the claim, what theory or a paper says, our estimate
      with its interval and n, and the verdict.

    Raises:
      UserError: the folder holds no experiment, or one of them cannot be read.
    """
    folders = experiments_in(results)
    rows = [
        [found.plan.name, *_row(verdict)]
        for found in map(report.read, folders)
        for verdict in found.verdicts
    ]
    if not rows:
        raise UserError(f"{results}: none of the {len(folders)} experiments in it makes a claim")
    return Readable(["experiment", *HEAD], rows, [False] * (1 + len(HEAD)))


def markdown(table: Readable) -> str:
    """A table as Markdown writes one."""
    lines = [table.head, ["---:" if numeric else "---" for numeric in table.numeric], *table.rows]
    return "".join(f"| {' | '.join(map(_escape, line))} |\n" for line in lines)


def write_into(page: Path, table: Readable) -> None:
    """Puts a table into a page of Markdown, between two comments, in place of what is there.

    Raises:
      UserError: the page is not there, or has not both comments.
    """
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise UserError(f"{page}: the table goes between lines {BEGIN!r} and {END!r}; add them")
    page.write_text(f"{before}{begin}\n{markdown(table)}{end}{after}", encoding="utf-8")


def _row(verdict: Verdict) -> list[str]:
    notes = "; ".join([verdict.numbers, *verdict.notes])
    return [verdict.text, verdict.published or "–", notes, verdict.outcome]


def _escape(cell: str) -> str:
    return cell.replace("|", r"\|")
