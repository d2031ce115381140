"""Judges the claims of an experiment together: over several looks at the data, and their number.

Looking at 3 seeds and going on to 10 where they decide nothing makes 9% false verdicts of 5%. Here
the looks are declared: the k-th is at the first `looks[k]` seeds. Each has an equal share of the
5% (the union bound, which holds for every dependence between looks): a claim's p-value is its
smallest so far times the number of looks. Holm's correction for the number of claims follows. The
chance of any false verdict, over all looks and claims, is then at most 5% wherever the p-value of a
single look is valid. A verdict that was reached stays.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from resnet_jax.errors import UserError
from resnet_jax.lab import inference, statistics
from resnet_jax.lab.analysis.verdicts import FEWEST_PAIRS, Verdict
from resnet_jax.lab.design.protocols import Claim, Label
from resnet_jax.lab.formatting import count
from resnet_jax.lab.inference import Sample
from resnet_jax.lab.results.records import of_cell

LEVEL = 1 - statistics.CONFIDENCE
FUTILE = 2.0  # a claim that needs this many times the seeds of the last look gets no more


@dataclass
class _Course:
    """The verdicts on one claim, look after look, each by itself.

    Attributes:
      looks: those at which all runs have ended, with the number of seeds of each.
      pending: the verdict on the runs so far of the next look, and how many of its runs are done.
    """

    looks: list[tuple[int, Verdict]] = field(default_factory=list)
    pending: tuple[Verdict, str] | None = None

    @property
    def last(self) -> Verdict:
        """The verdict on the most seeds."""
        return self.looks[-1][1] if self.looks else self.pending[0]  # type: ignore[index]

    @property
    def without_p(self) -> bool:
        """Whether the claim gives no p-value, although it has values or an outcome."""
        judged = self.last.n > 1 or self.last.outcome != "inconclusive"
        return judged and math.isnan(self.last.p)

    def best(self, looks: int) -> tuple[int, Verdict] | None:
        """The look with the smallest p-value among the first few."""
        known = [each for each in self.looks[:looks] if not math.isnan(each[1].p)]
        return min(known, key=lambda each: each[1].p, default=None)


def judge(
    claims: Sequence[Claim], runs: pd.DataFrame, label: Label = str, looks: Sequence[int] = ()
) -> list[Verdict]:
    """Judges the claims of an experiment together.

    Args:
      claims: all claims of one experiment.
      runs: the runs table (`Records.runs`).
      label: returns the words to show for an axis or for a value of one.
      looks: the declared looks: the k-th uses the first `looks[k]` seeds of the table, in order,
        once all runs of the claim's cells with these seeds have ended. By default there is one
        look, at what the table has.

    Returns:
      The verdicts, in the order of the claims. Estimate, interval and notes are those of the look
      that decided the claim, else of the last one that is complete.

    Raises:
      UserError: a claim's own function returned something else than a verdict.
    """
    courses = [_course(claim, runs, label, tuple(looks)) for claim in claims]
    counted = [at for at, course in enumerate(courses) if not course.without_p]
    shares = max(1, len(looks))
    decided: dict[int, tuple[int, Verdict, int]] = {}  # the look, its verdict, Holm's factor
    adjusted: dict[int, float] = {}
    for stage in range(1, shares + 1):
        best = {at: courses[at].best(stage) for at in counted}
        p = {at: shares * each[1].p if each else 1.0 for at, each in best.items()}
        adjusted = statistics.holm(p)
        for rank, at in enumerate(sorted(counted, key=lambda at: p[at])):
            found = best[at]
            if at in decided or not found or adjusted[at] >= LEVEL:
                continue
            if found[1].outcome != "inconclusive":
                decided[at] = (*found, len(counted) - rank)
    still_open = sum(at not in decided for at in counted)
    return [
        _without_correction(course)
        if course.without_p
        else _decided(course, *decided[at], adjusted[at], shares)
        if at in decided
        else _undecided(course, adjusted[at], still_open, shares, len(counted))
        for at, course in enumerate(courses)
    ]


def worth_more_seeds(verdict: Verdict, looks: Sequence[int]) -> bool:
    """Whether a claim is open and may still be decided by the last look.

    A claim gets no more (futility) if it would take over twice the seeds of the last look even
    with its mean a standard error further from the margin: an estimate of few seeds is rough.

    Args:
      verdict: as returned by `judge`, with the same looks.
      looks: the declared looks.
    """
    futile = bool(looks) and verdict.needed_at_best > FUTILE * looks[-1]
    return verdict.outcome == "inconclusive" and not futile


def seeds_needed(
    claims: Sequence[Claim], earlier: pd.DataFrame, looks: Sequence[int] = ()
) -> list[int]:
    """The seeds that would decide each claim with a chance of 80%, from an earlier run's table.

    Args:
      claims: all claims of one experiment.
      earlier: a runs table with the same cells, such as that of a trial with other seeds.
      looks: the looks of the experiment to be run.

    Returns:
      For each claim its number of seeds, at the level of Holm's first step; 0 if unknown, 1000 for
      that many or more.
    """
    level = LEVEL / (max(1, len(looks)) * max(1, len(claims)))
    return [_needed(_verdict(claim, earlier, str), level) for claim in claims]


def _course(claim: Claim, runs: pd.DataFrame, label: Label, looks: tuple[int, ...]) -> _Course:
    if not looks:
        verdict = _verdict(claim, runs, label)
        return _Course([(verdict.n, verdict)])
    seeds, course = sorted(runs["seed"].unique()), _Course()
    for look in looks:
        of_look = runs[runs["seed"].isin(seeds[:look])]
        cells = [of_cell(of_look, cell)["status"] for cell in claim.cells]
        ended = sum(int((cell != "missing").sum()) for cell in cells)
        if ended < (planned := look * len(cells)):
            begun = not course.looks or all(len(cell) == look for cell in cells)
            state = f"look at {count(look, 'seed')}: {ended} of {planned} runs have ended"
            course.pending = (_verdict(claim, of_look, label), state) if begun else None
            break
        course.looks.append((look, _verdict(claim, of_look, label)))
    return course


def _verdict(claim: Claim, runs: pd.DataFrame, label: Label) -> Verdict:
    found = claim(runs, label)
    if isinstance(found, Verdict):
        return found
    raise UserError(
        f"claim {claim.text!r}: calling it returned {found!r}, not a verdict; return a "
        "claims.Verdict"
    )


def _without_correction(course: _Course) -> Verdict:
    """Judges a claim that gives no p-value: by the first look whose outcome decides."""
    complete = [each for each in course.looks if each[1].outcome != "inconclusive"][:1]
    note = "judged by its own outcome: it gives no p-value, so no correction was made"
    if complete:
        look, verdict = complete[0]
        return replace(verdict, look=look, notes=(*verdict.notes, note))
    return _inconclusive(course, note)


def _decided(
    course: _Course, look: int, verdict: Verdict, factor: int, p_adjusted: float, shares: int
) -> Verdict:
    notes, last = verdict.notes, course.looks[-1][0]
    if verdict.outcome == "supported" and verdict.proves:
        notes = (*notes, verdict.proves)
    if last > look:
        notes = (*notes, f"decided at {count(look, 'seed')}; with {last}: {course.last.numbers}")
    deciding = _interval(verdict.sample, LEVEL / (shares * factor))
    return replace(verdict, notes=notes, look=look, p_adjusted=p_adjusted, deciding=deciding)


def _undecided(
    course: _Course, p_adjusted: float, still_open: int, shares: int, counted: int
) -> Verdict:
    verdict, notes = course.last, list[str]()
    if course.looks and verdict.outcome != "inconclusive":
        over = [count(shares, "look")] if shares > 1 else []
        over += [count(counted, "claim")] if counted > 1 else []
        but = (
            f"after correction for {' and '.join(over)} p = {p_adjusted:.2g}"
            if over
            else (f"its p-value is {verdict.p:.2g}")
        )
        notes.append(f"{verdict.outcome} by its 95% interval, but {but}, not below {LEVEL:.0%}")
    level = LEVEL / (shares * still_open)
    return replace(
        _inconclusive(course, *notes),
        p_adjusted=p_adjusted,
        deciding=_interval(verdict.sample, level),
        needed=_needed(verdict, level),
        needed_at_best=_needed(verdict, level, further=1.0),
    )


def _inconclusive(course: _Course, *notes: str) -> Verdict:
    pending = (course.pending[1],) if course.pending and course.pending[0].n else ()
    verdict = course.last
    return replace(verdict, outcome="inconclusive", notes=(*verdict.notes, *notes, *pending))


def _interval(sample: Sample | None, level: float) -> tuple[float, float]:
    if not sample or sample.n < FEWEST_PAIRS:
        return math.nan, math.nan
    return sample.interval(1 - level)


def _needed(verdict: Verdict, level: float, further: float = 0.0) -> int:
    """The seeds that decide a claim by the margin that is nearest to its estimate.

    The mean is taken to be `further` standard errors further from that margin.
    """
    sample = verdict.sample
    if not (sample and verdict.margins and sample.n > 1 and sample.spread):
        return 0
    distance = min((sample.mean - margin for margin in verdict.margins), key=abs)
    tail = sample.tails[0 if distance > 0 else 1]
    effect = (abs(distance) + further * sample.error) / sample.spread
    return inference.needed(effect, level / 2, tail)
