"""Studies: what a run computes instead of, or besides, training."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

Record = dict[str, Any]


@dataclass(frozen=True)
class Findings:
    """The results of one run of a study.

    Attributes:
      final: the value of each measure.
      records: rows for the figures, each with its `kind` and `step`.
    """

    final: dict[str, float]
    records: list[Record] = field(default_factory=list)


@dataclass(frozen=True)
class Study:
    """A function of a config that is called instead of training.

    Attributes:
      measure: computes the findings from a run's config and its folder. All randomness follows
        from `config.seed`. The folder is for files that the study keeps, such as a trained network.
      defaults: the study's own settings, if its configs are not those of training; the experiment
        then needs no base.
    """

    measure: Callable[[ConfigDict, Path], Findings]
    defaults: dict[str, Any] = field(default_factory=dict)
