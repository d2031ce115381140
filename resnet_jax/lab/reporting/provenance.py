"""How the runs of an experiment were made: their state, machines, versions and time."""

import shlex
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd

from resnet_jax.lab.formatting import count, duration
from resnet_jax.lab.results.folder import Folder
from resnet_jax.lab.results.records import Records, with_values
from resnet_jax.training.run.run_folder import RunFolder


def state(found: Records) -> str:
    """The status of the runs in words: `17 of 18 runs done, 1 failed`."""
    statuses = Counter(found.runs["status"])
    words = [f"{statuses['done']} of {count(len(found.runs), 'run')} done"]
    words += [f"{statuses[s]} {s}" for s in ("diverged", "failed", "missing") if statuses[s]]
    return ", ".join(words)


def seeds_by_cell(found: Records) -> str:
    """How many seeds the cells have: `5 seeds in 4 cells, 8 seeds in 2 cells`."""
    axes, ended = list(found.experiment.axes), with_values(found.runs)
    cells = Counter(map(tuple, ended[axes].to_numpy())).values() if axes else [len(ended)]
    missing = len(found.runs[axes].drop_duplicates()) - len(cells) if axes else 0
    seeds = sorted(Counter([*cells, *[0] * missing]).items())
    return ", ".join(f"{count(n, 'seed')} in {count(times, 'cell')}" for n, times in seeds)


def commits(found: Records, folder: Folder) -> dict[str, str]:
    """The commits of the runs, each with the path of a patch of uncommitted changes, or empty."""
    known: dict[str, str] = {}
    for name, environment in found.environments.items():
        commit = environment.get("commit", "").removesuffix("+changes")
        patch = RunFolder(folder.runs / name).changes
        if commit and not known.get(commit):
            known[commit] = shlex.quote(str(patch.resolve())) if patch.exists() else ""
    return known


def unplanned(n: int) -> str:
    """How many folders of runs were ignored; empty if none was."""
    verb = "was" if n == 1 else "were"
    return f"{count(n, 'run')} of other settings or seeds {verb} ignored." if n else ""


def dates(environments: Iterable[dict[str, Any]]) -> str:
    """The days on which the runs were started, in UTC: `2026-01-01 to 2026-01-03`."""
    days = sorted({each["started"][:10] for each in environments if each.get("started")})
    return " to ".join(dict.fromkeys([days[0], days[-1]])) if days else ""


def machines(environments: Iterable[dict[str, Any]]) -> str:
    """The processors of the runs and their cores: `AMD EPYC 7763, 2 cores`; empty if unknown."""
    known = {
        f"{each['processor']}, {count(each['cores'], 'core')}": None
        for each in environments
        if each.get("processor") and each.get("cores")
    }
    return "; ".join(known)


def environment(environments: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Machines, versions, commits and dates of the runs: the distinct values of each entry."""
    given = list(environments)
    rows: dict[str, dict[str, None]] = {}
    for each in given:
        packages = [f"{name} {version}" for name, version in each.get("packages", {}).items()]
        entries = {
            "Processor": machines([each]),
            "Devices": ", ".join(map(str, each.get("devices", []))),
            "Platform": each.get("platform"),
            "Python": each.get("python"),
            "Packages": ", ".join(packages),
            "Commit": each.get("commit"),
        }
        for entry, value in entries.items():
            if value:
                rows.setdefault(entry, {})[str(value)] = None
    days = dates(given)
    found = {entry: "; ".join(values) for entry, values in rows.items()}
    return {"Started": days, **found} if days else found


def time_taken(runs: pd.DataFrame) -> str:
    """The summed time of the runs, and how much of it was compilation."""
    total, compiling = runs["seconds_total"].sum(), runs["seconds_compile"].sum()
    if not total:
        return ""
    return f"{duration(total)}, of which {duration(compiling)} ({compiling / total:.0%}) compiling"
