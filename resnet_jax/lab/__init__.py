"""The laboratory: experiments, their runs, and the claims, figures and reports made from them.

The names below are what experiment files and notebooks use. Each is imported when it is first used,
so that a file that only declares an experiment does not wait for what trains its networks.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resnet_jax.lab import figures
    from resnet_jax.lab.analysis import claims, ranking
    from resnet_jax.lab.analysis import gradient_profiles as answers
    from resnet_jax.lab.design.experiment import Experiment, load
    from resnet_jax.lab.design.grid import Run, expand
    from resnet_jax.lab.design.looks import Until
    from resnet_jax.lab.design.paper import Paper
    from resnet_jax.lab.design.ranges import Times
    from resnet_jax.lab.measures import Measure
    from resnet_jax.lab.results.records import Records, load_records
    from resnet_jax.lab.studies import gradients

__all__ = [
    "Experiment",
    "Measure",
    "Paper",
    "Records",
    "Run",
    "Times",
    "Until",
    "answers",
    "claims",
    "expand",
    "figures",
    "gradients",
    "load",
    "load_records",
    "ranking",
]

_MODULES = {
    "answers": "analysis.gradient_profiles",
    "claims": "analysis.claims",
    "figures": "figures",
    "gradients": "studies.gradients",
    "ranking": "analysis.ranking",
}
_ATTRIBUTES = {
    "Experiment": "design.experiment",
    "Measure": "measures",
    "Paper": "design.paper",
    "Records": "results.records",
    "Run": "design.grid",
    "Times": "design.ranges",
    "Until": "design.looks",
    "expand": "design.grid",
    "load": "design.experiment",
    "load_records": "results.records",
}


def __getattr__(name: str) -> Any:
    """Imports an exported name (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_MODULES.get(name) or _ATTRIBUTES[name]}")
    found = globals()[name] = module if name in _MODULES else getattr(module, name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
