"""From a function of keywords to a study: its keywords are its settings."""

import inspect
from collections.abc import Callable
from pathlib import Path

from ml_collections import ConfigDict

from resnet_jax.lab.design.study import Findings, Study


def study(measure: Callable[..., Findings]) -> Study:
    """The study of a function whose arguments are all keywords, `seed` and others with defaults.

    Args:
      measure: what to run.

    Returns:
      A study of which an experiment's axes may set any of those keywords.
    """
    keywords = inspect.signature(measure).parameters.values()
    defaults = {each.name: each.default for each in keywords if each.name != "seed"}

    def run(config: ConfigDict, folder: Path) -> Findings:
        return measure(**config.to_dict())

    return Study(run, defaults)
