"""Studies: measurements behind the experiments that are not plain training runs.

Each is a pure function from numbers to the final measures and records of a run. Those that test a
theory use the simplest network that it describes: a stack of units of equal shape (`stack.py`).
"""

import inspect
from collections.abc import Callable
from pathlib import Path

from ml_collections import ConfigDict

from resnet_jax.lab.design.study import Findings, Study


def study(measure: Callable[..., Findings]) -> Study:
    """Makes a study of a function, whose keywords become settings that an experiment can vary.

    Args:
      measure: takes keyword arguments only: `seed`, and others with defaults.
    """
    keywords = inspect.signature(measure).parameters.values()
    defaults = {each.name: each.default for each in keywords if each.name != "seed"}

    def run(config: ConfigDict, folder: Path) -> Findings:
        return measure(**config.to_dict())

    return Study(run, defaults)
