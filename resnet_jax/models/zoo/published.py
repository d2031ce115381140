"""Published results of the networks of the zoo, from published.json in this folder."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True)
class Published:
    """Published results of one network.

    Attributes:
      params: exact number of trainable parameters; None if unknown.
      params_printed: the number as printed in the paper, such as "0.85M".
      multiply_adds: for one 224x224 image, as printed (two digits); None if not printed.
      errors: error in percent by what was measured, such as "CIFAR-10, median of 5".
      sources: papers and tables.
    """

    params: int | None
    params_printed: str | None
    multiply_adds: float | None
    errors: dict[str, float]
    sources: tuple[str, ...]


def network(name: str) -> Published | None:
    """Published results of a network of the zoo, or None if there are none.

    Example:
      >>> network("resnet56").errors
      {'CIFAR-10': 6.97}
    """
    of_he = re.fullmatch(r"(plain|resnet|preact)\d+", name)
    later = re.fullmatch(r"[a-z-]+\d+.*", name)
    tables = (_cifar, _imagenet, _identity_mappings) if of_he else (_imagenet, _later)
    papers = [paper for table in tables if (of_he or later) and (paper := table(name))]
    if not papers:
        return None
    facts = {key: fact for paper in reversed(papers) for key, fact in paper.items()}
    return Published(
        params=facts.get("params_exact"),
        params_printed=facts.get("params_paper"),
        multiply_adds=facts.get("flops"),
        errors={what: error for paper in papers for what, error in paper["errors"].items()},
        sources=tuple(paper["source"] for paper in papers),
    )


@cache
def tables() -> dict[str, Any]:
    """published.json; its entry "about" explains the keys."""
    return json.loads(resources.files(__package__).joinpath("published.json").read_text("utf-8"))


def _cifar(name: str) -> dict[str, Any] | None:
    """He et al. 2015, Table 6; a plain network has its twin's parameters, and no error there."""
    table = tables()["he2015_cifar10"]
    entry = table.get(name.replace("plain", "resnet"))
    if not entry:
        return None
    runs = "CIFAR-10, best of 5" if "runs" in entry else "CIFAR-10"
    errors = {} if name.startswith("plain") else {runs: entry["error"]}
    return entry | {"errors": errors, "source": table["source"]}


def _imagenet(name: str) -> dict[str, Any] | None:
    """He et al. 2015, Tables 1 to 3: option B (as in the zoo) where the paper has it.

    FLOPs, and the error of ResNet-18 (Table 2), are printed for option A only.
    """
    table = tables()["he2015_imagenet"]
    entry = table.get(name) or table.get(f"{name}_A", {}) | table.get(f"{name}_B", {})
    exact = table["params_exact"].get(name.replace("-", "_"))
    if exact:
        entry = entry | {"params_exact": exact}
    if not entry:
        return None
    if entry == {"params_exact": exact}:  # a count, and no paper's result
        return entry | {"errors": {}, "source": table["params_exact"]["note"]}
    option = ", option A" if name == "resnet18" else ""
    errors = {
        f"ImageNet top-{k}, 10 crops{option}": entry[f"top{k}"]
        for k in (1, 5)
        if f"top{k}" in entry
    }
    return entry | {"errors": errors, "source": table["source"]}


def _later(name: str) -> dict[str, Any] | None:
    """Results of later papers on CIFAR; the second of a pair is the paper's own network."""
    key = name.replace("-", "_").replace("stochastic", "stochastic_depth_")
    entry = tables()["others_cifar"].get(key)
    if not entry:
        return None
    runs = f", {entry['runs']}" if "runs" in entry else ""
    labels = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}
    errors = {
        f"{label}{runs}": entry[data][-1] if isinstance(entry[data], list) else entry[data]
        for data, label in labels.items()
        if data in entry
    }
    return {"errors": errors, "source": entry["source"]}


def _identity_mappings(name: str) -> dict[str, Any] | None:
    """He et al. 2016, Tables 3 and 4: original order first, pre-activation second."""
    table = tables()["he2016_depth"]
    errors = dict(_pairs(table, name))
    return {"errors": errors, "source": table["source"]} if errors else None


def _pairs(table: dict[str, Any], name: str) -> Iterator[tuple[str, float]]:
    orders = {"resnet": 0, "preact": 1}
    for data, label in (("cifar10", "CIFAR-10"), ("cifar100", "CIFAR-100")):
        pair = table[data].get(name.replace("preact", "resnet"))
        if pair and name[:6] in orders:
            yield f"{label}, median of 5", pair[orders[name[:6]]]
