"""An experiment is data: a base config, named axes, seeds, figures to draw, claims to judge."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ml_collections import ConfigDict

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.files import load_python_file
from resnet_jax.lab.design import validation
from resnet_jax.lab.design.looks import Until
from resnet_jax.lab.design.paper import Paper
from resnet_jax.lab.design.protocols import AxisValue, Cell, Claim, Figure, Settings
from resnet_jax.lab.design.ranges import Range
from resnet_jax.lab.design.study import Study
from resnet_jax.lab.measures import described
from resnet_jax.training.config.network import is_own

if TYPE_CHECKING:
    import pandas as pd

FIXED = ("name", "file", "scale", "scales", "as_written")  # fields that no scale replaces


def axes_are_settings(**cell: AxisValue) -> Settings:
    """The default `configure`: each axis is named by the config key that it sets."""
    return cell


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A question, the grid of runs that answers it, and how the answer is judged and shown.

    An experiment file defines one, in a variable called `experiment`.

    Attributes:
      question: the question, as one sentence.
      base: the config that every run starts from: a config, or the path of a config file, which
        is searched in the experiment file's folder and in the folders above it; a variant is given
        after a colon. Empty for a study with settings of its own.
      study: what a run computes instead of training; None to train.
      source: the paper, section and figure in which the question was asked before.
      published: what that source found, in its own set-up; shown in the report.
      paper: the paper's numbers for cells of the grid; shown beside ours.
      setup: what was chosen here and why; shown in the report.
      settings: config keys set for every run, on top of the base.
      axes: what the grid varies: the values of each axis. The grid is their product.
      configure: maps the values of a cell (as keyword arguments) to config keys and values, or to
        None to leave the cell out. By default the names of the axes are config keys.
      seeds: each cell is run once with each. Runs with the same seed are paired in the statistics.
        `Until(looks=(5, 8, 12, 20))` adds seeds to the cells of open claims until they are decided.
      tune: nuisance settings, which are chosen for each cell before its final runs: the values of
        each, such as `{"optimizer.learning_rate": (0.01, 0.1)}`, or `Times(0.1, 1, 10)` for
        multiples of the cell's own. They replace what `configure` sets. See `design.tuning`.
      tuning_seeds: the seeds of the tuning runs.
      measures: the final measures that the table shows, for example "test_error"; a measure of
        your own may be a `Measure`, with words, unit, bounds and which values are better.
      derive: functions that compute further measures from a run's records.
      diverged: for each measure, the value that a run that diverged counts as, in its unit.
      labels: words to show for axes and their values, where their own names would not do.
      figures: the figures to draw.
      claims: the claims to judge.
      findings: a function of the records (`Records`) that returns sentences on what was found.
      scale: the name of the scale (data, sizes and durations) that the other fields describe. Give
        one ("digits") where there are other scales.
      scales: other scales of the same question: for each name, the fields that it replaces, such
        as `{"paper": {"base": "configs/cifar10.py", "axes": ...}}`.
      as_written: whether this is the scale that the file describes; `at_scale` sets it to False.
      name: the experiment's name; by default the name of its file.
      file: the file that it was loaded from.
    """

    question: str
    base: str | ConfigDict = ""
    study: Study | None = None
    source: str = ""
    published: str = ""
    paper: Paper | None = None
    setup: str = ""
    settings: Settings = field(default_factory=dict)
    axes: Mapping[str, Sequence[AxisValue]] = field(default_factory=dict)
    configure: Callable[..., Settings | None] = axes_are_settings
    seeds: Sequence[int] | Until = field(default_factory=Until)
    tune: Mapping[str, Range] = field(default_factory=dict)
    tuning_seeds: Sequence[int] = (1000, 1001)
    measures: Sequence[str] = ("train_error", "test_error")
    derive: "Mapping[str, Callable[[pd.DataFrame], float]]" = field(default_factory=dict)
    diverged: Mapping[str, float] = field(
        default_factory=lambda: {"train_error": 100.0, "test_error": 100.0}
    )
    labels: Mapping[Any, str] = field(default_factory=dict)
    figures: Sequence[Figure] = ()
    claims: Sequence[Claim] = ()
    findings: Callable[[Any], Sequence[str]] | None = None
    scale: str = "default"
    scales: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    as_written: bool = True
    name: str = ""
    file: Path | None = None

    def __new__(cls, **given: Any) -> Self:
        """Names an unknown field and the closest known ones; `__init__` would name it only."""
        known = [each.name for each in fields(cls)]
        for name in given:
            if name not in known:
                raise UserError(f"Experiment: no field {name!r}; {did_you_mean(name, known)}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for name, content in validation.SEQUENCES.items():
            if not isinstance(getattr(self, name), Until):
                validation.check_sequence(name, getattr(self, name), content)
        for name in ("claims", "figures"):
            object.__setattr__(self, name, described(getattr(self, name), self.measures))
        validation.check_axes(self.axes, self.measures)
        validation.check_seeds(self.first_seeds)
        if not self.study:  # a study does not diverge
            validation.check_diverged(self.diverged, self.measures)
        if self.tune:
            self._check_tune()
        validation.check_claims(self.claims, self.axes, self.measures)
        validation.check_figures(self.figures, self.axes, self.measures)
        if self.paper:
            validation.check_paper(self.paper, self.axes, self.measures)
        if self.as_written:
            for scale in self.scales:
                self._check_scale(scale)

    def _check_tune(self) -> None:
        if self.study:
            raise UserError("tune: a study trains nothing that could be tuned; remove it")
        seeds = self.seeds_at(self.looks[-1])
        validation.check_tune(self.tune, self.tuning_seeds, seeds, self.axes)
        validation.check_diverged(self.diverged, ("test_error",))

    def _check_scale(self, scale: str) -> None:
        where = f"scale {scale!r}"
        if scale == self.scale:
            raise UserError(f"{where}: the experiment itself has this scale; choose another name")
        if not re.fullmatch(r"[\w-]+", scale):  # it names a folder
            raise UserError(f"{where}: use letters, digits, - and _ only")
        known = [each.name for each in fields(self) if each.name not in FIXED]
        for name in self.scales[scale]:
            if name in FIXED:
                raise UserError(f"{where}: {name!r} cannot differ between scales; remove it")
            if name not in known:
                raise UserError(f"{where}: no field {name!r}; {did_you_mean(name, known)}")
        try:
            self.at_scale(scale)
        except UserError as error:
            raise UserError(f"{where}: {error}") from error

    @property
    def looks(self) -> tuple[int, ...]:
        """The numbers of seeds at which claims are judged; a single one if the seeds are fixed."""
        return tuple(self.seeds.looks) if isinstance(self.seeds, Until) else (len(self.seeds),)

    @property
    def first_seeds(self) -> tuple[int, ...]:
        """The seeds that every cell has: those of the first look."""
        return self.seeds_at(self.looks[0])

    def seeds_at(self, look: int) -> tuple[int, ...]:
        """The seeds of a look, which has that number of them."""
        return self.seeds.seeds(look) if isinstance(self.seeds, Until) else tuple(self.seeds)

    @property
    def results_name(self) -> str:
        """The name of its folder of results: its name, with the scale unless it is as written."""
        return self.name if self.as_written else f"{self.name}-{self.scale}"

    def at_scale(self, scale: str) -> "Experiment":
        """Returns the experiment at one of its scales.

        Args:
          scale: a key of `scales`, or the default's name.

        Raises:
          UserError: the experiment has no such scale.

        Example:
          >>> small = Experiment(question="?", base="digits.py", scales={"paper": {"base": "c.py"}})
          >>> small.at_scale("paper").base, small.at_scale("default") is small
          ('c.py', True)
        """
        if scale == self.scale:
            return self
        if scale not in self.scales or not self.as_written:  # scales do not combine
            known = [self.scale, *(self.scales if self.as_written else ())]
            raise UserError(
                f"the experiment {self.name} has no scale {scale!r}; {did_you_mean(scale, known)}"
            )
        return replace(self, **self.scales[scale], scale=scale, as_written=False)

    def label(self, word: AxisValue) -> str:
        """Returns the words to show for an axis or for a value of one."""
        words = str(word)
        # A network of the user's own is named by its file, which may have underscores.
        shown = words if is_own(words) else words.replace("_", " ")
        return self.labels.get(word, shown)

    def along(self, axis: str, held: Cell | None = None) -> list[tuple[AxisValue, Cell]]:
        """Lists the cells along an axis.

        Args:
          axis: an axis, or "" for a single cell without a value of its own.
          held: the values of other axes.

        Returns:
          The values of the axis, each with the cell that it makes together with `held`.
        """
        if not axis:
            return [("", held or {})]
        return [(value, {**(held or {}), axis: value}) for value in self.axes[axis]]


def load(path: str | Path) -> Experiment:
    """Loads an experiment file.

    Args:
      path: a Python file that defines a variable `experiment`.

    Returns:
      The experiment, named after the file if it has no name of its own.

    Raises:
      UserError: the file does not exist, does not run, or defines no experiment.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: there is no such experiment file; {_files_beside(path)}")
    found = getattr(load_python_file(path), "experiment", None)
    if not isinstance(found, Experiment):
        raise UserError(f"{path}: defines no variable `experiment` that is an Experiment; add one")
    return replace(found, name=found.name or path.stem, file=path)


def _files_beside(path: Path) -> str:
    below = path.parent / "experiments" / f"{path.name.removesuffix('.py')}.py"
    if below.is_file():
        return f"did you mean '{below}'?"
    names = sorted(file.name for file in path.parent.glob("*.py"))
    return did_you_mean(path.name, names) if names else f"{path.parent} has no Python files"
