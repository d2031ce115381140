"""All claims of all experiments in one table, for a page that tells what was found."""

from collections.abc import Callable
from pathlib import Path

from resnet_jax.errors import UserError, one_line
from resnet_jax.lab.analysis.claims import Verdict
from resnet_jax.lab.analysis.tables import Readable
from resnet_jax.lab.formatting import count
from resnet_jax.lab.reporting import report
from resnet_jax.lab.reporting.report import Report
from resnet_jax.lab.results.folder import experiments_in

HEAD = ["experiment", "claim", "theory or paper", "ours (95% interval)", "n", "verdict"]


def claims_table(results: Path, warn: Callable[[str], None] = lambda message: None) -> Readable:
    """The claims of every experiment in a folder of results, whatever became of them.

    Args:
      results: the folder that holds one folder for each experiment.
      warn: told of each experiment that cannot be read, and is left out.

    Returns:
      One row for each claim: the experiment, with its scale if that is not its default; the claim;
      what theory or a paper says; our estimate with its interval; n; and the verdict.

    Raises:
      UserError: the folder holds no experiment, or none of them makes a claim.
    """
    folders = experiments_in(results)
    rows = []
    for path in folders:
        try:
            found = report.read(path)
        except Exception as error:  # an experiment's own code may raise anything
            warn(f"{path} is left out: {one_line(error)}")
            continue
        rows += [[title(found), *_row(verdict)] for verdict in found.verdicts]
    if not rows:
        raise UserError(f"{results}: none of the {len(folders)} experiments in it makes a claim")
    return Readable(HEAD, rows, [head == "n" for head in HEAD])


def title(found: Report) -> str:
    """An experiment's name, and its scale if that is not its default: `degradation (paper)`."""
    experiment = found.records.experiment
    return experiment.name if experiment.as_written else f"{experiment.name} ({experiment.scale})"


def markdown(table: Readable) -> str:
    """A table as Markdown writes one."""
    lines = [table.head, ["---:" if numeric else "---" for numeric in table.numeric], *table.rows]
    return "".join(f"| {' | '.join(map(_escape, line))} |\n" for line in lines)


def _row(verdict: Verdict) -> list[str]:
    ours = "; ".join([verdict.without_n, *verdict.notes])
    n = count(verdict.n, verdict.counted)
    return [verdict.text, verdict.published or "–", ours, n, verdict.outcome]


def _escape(cell: str) -> str:
    return cell.replace("|", r"\|")
