"""A study: what a run measures where it does not, or not only, train."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

Record = dict[str, Any]


@dataclass(frozen=True)
class Findings:
    """What one run of a study found.

    Attributes:
      final: a number for each measure.
      records: rows for the figures, each with its `kind` and `step`.
    """

    final: dict[str, float]
    records: list[Record] = field(default_factory=list)


@dataclass(frozen=True)
class Study:
    """A pure function of a config, run in place of training.

    Attributes:
      measure: from a run's config and its folder to what was found. All randomness follows from
        `config.seed`. The folder is for what the study keeps, a trained network for example.
      defaults: the study's own settings, if its runs are not configs of training; the experiment
        then needs no base.
    """

    measure: Callable[[ConfigDict, Path], Findings]
    defaults: dict[str, Any] = field(default_factory=dict)
