"""What the runs say of a claim."""

import math
from dataclasses import dataclass
from typing import Literal

from resnet_jax.lab.formatting import count, estimate
from resnet_jax.lab.measures import describe

Outcome = Literal["supported", "refuted", "inconclusive"]


@dataclass(frozen=True)
class Verdict:
    """What the runs say of a claim.

    Attributes:
      text: the claim.
      outcome: supported, refuted or inconclusive.
      measure: what was compared.
      estimate: the mean paired difference, in the measure's unit of difference; of a claim on one
        cell, its mean.
      low: the lower end of its 95% interval.
      high: the upper end.
      n: the number of pairs, or of runs.
      rule: how it was decided, in words.
      notes: what a reader has to know beside it: runs that diverged, pairs that lack a run.
      p: Student's two-sided p-value of the claim's nearest margin; NaN if there is none.
      counted: what there are n of, `pair` or `run`.
      published: what theory or a paper says of it.
    """

    text: str
    outcome: Outcome
    measure: str
    estimate: float
    low: float
    high: float
    n: int
    rule: str
    notes: tuple[str, ...] = ()
    p: float = math.nan
    counted: str = "pair"
    published: str = ""

    @property
    def numbers(self) -> str:
        """The estimate, its interval and the number of pairs, in words."""
        return self._estimate(count(self.n, self.counted))

    @property
    def without_n(self) -> str:
        """The same for a table that has a column for n."""
        return self._estimate("")

    def _estimate(self, of: str) -> str:
        differs = self.counted == "pair"
        if not self.n:
            return "no pair of runs yet" if differs else "no run yet"
        unit = describe(self.measure).unit_of_difference if differs else describe(self.measure).unit
        return estimate(self.estimate, self.low, self.high, unit, of, sign=differs)
