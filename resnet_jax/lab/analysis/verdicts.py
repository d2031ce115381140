"""Verdicts: the judgement of a claim, with the numbers that it rests on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from resnet_jax.lab.formatting import count, estimate
from resnet_jax.lab.inference import Sample
from resnet_jax.lab.measures import describe

FEWEST_PAIRS = 3  # the interval of two differences is 12.7 standard errors wide to each side

Outcome = Literal["supported", "refuted", "inconclusive"]


@dataclass(frozen=True)
class Verdict:
    """The judgement of a claim.

    A claim of your own gives the fields from `text` to `rule`, and `p` if it has one: without `p`
    it is judged by its `outcome` alone. `claims.judge` adds the last five.

    Attributes:
      text: the claim.
      outcome: supported, refuted or inconclusive.
      measure: the measure that the claim is about.
      estimate: mean paired difference, in the measure's unit of difference; for a claim about a
        single cell, its mean, in the measure's unit.
      low: lower end of the 95% interval of the estimate.
      high: upper end.
      n: number of pairs or of runs.
      rule: the decision rule, in words.
      notes: caveats: diverged runs, incomplete pairs, corrections.
      p: two-sided p-value at the margin, before correction; 1 with fewer than three values.
      counted: what n counts: "pair" or "run".
      published: what theory or the paper reports.
      margins: the margin, or the finite ends of the range; in the unit of the estimate.
      worst: the value (of a pair or run) that speaks most against the claim; NaN without any.
      values: the value of each pair or run, by seed.
      proves: what the seeds show of single seeds, if the claim is supported: no mean excludes that
        a few fail.
      sample: the values with what inference on their mean needs.
      deciding: the interval of the estimate that decides, after correction for looks and claims:
        the verdict is that of its position against the margins; NaN without one.
      p_adjusted: the p-value after these corrections, to be compared with 5%.
      look: number of seeds of the look that decided the claim; 0 if none did.
      needed: number of seeds that would decide an inconclusive claim with a chance of 80%, by the
        estimate and the spread so far; 0 if unknown, 1000 for that many or more.
      needed_at_best: the same with the estimate a standard error further from the margin.
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
    margins: tuple[float, ...] = ()
    worst: float = math.nan
    values: Mapping[int, float] = field(default_factory=dict)
    proves: str = ""
    sample: Sample | None = field(default=None, repr=False)
    deciding: tuple[float, float] = (math.nan, math.nan)
    p_adjusted: float = math.nan
    look: int = 0
    needed: int = 0
    needed_at_best: int = 0

    @property
    def numbers(self) -> str:
        """The estimate, its interval and the sample size: `+41 ... (95% interval ..., 4 pairs)`."""
        return self._estimate(count(self.n, self.counted))

    @property
    def without_n(self) -> str:
        """The estimate and its interval, for tables with a column for n."""
        return self._estimate("")

    def _estimate(self, of: str) -> str:
        paired, measure = self.counted == "pair", describe(self.measure)
        if not self.n:
            return "no complete pair of runs yet" if paired else "no finished run yet"
        unit = measure.unit_of_difference if paired else measure.unit
        return estimate(self.estimate, self.low, self.high, unit, of, sign=paired)
