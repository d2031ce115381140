"""An experiment is data: a base config, named axes, seeds, figures to draw, claims to judge."""

import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ml_collections import ConfigDict

from resnet_jax.errors import UserError, did_you_mean
from resnet_jax.lab.design import validation
from resnet_jax.lab.design.study import Study
from resnet_jax.training.config import own_model

if TYPE_CHECKING:
    import pandas as pd

    from resnet_jax.lab.analysis.claims import Claim
    from resnet_jax.lab.figures import Drawing
    from resnet_jax.lab.reporting.paper import Paper
    from resnet_jax.lab.results.records import Records

AxisValue = str | int | float | bool
Cell = Mapping[str, AxisValue]  # one value for each axis: a place in the grid
Settings = Mapping[str, Any]  # config keys ("train.steps") and what to set them to


def axes_are_settings(**cell: AxisValue) -> Settings:
    """The default `configure`: each axis is named by the config key that it sets."""
    return cell


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A question, the grid of runs that answers it, and how the answer is shown and judged.

    An experiment file defines one, in a variable called `experiment`.

    Attributes:
      question: what is asked, in one sentence with a question mark.
      base: the config that every run starts from: itself, or a file that is looked for in the
        experiment file's folder and in the folders above it; a variant stands after a colon.
        Empty for a study that has settings of its own.
      study: what a run measures in place of training; by default runs train.
      source: the paper, section and figure in which the question was asked before.
      published: what that source found, in its own set-up; shown beside our answer.
      paper: its figures for cells of the grid; shown beside ours.
      setup: what was chosen here and why; shown in the report.
      settings: config keys set for every run, on top of the base.
      axes: what the grid varies, each axis with its values. The grid is their product.
      configure: from the values of a cell (as keyword arguments) to config keys. `None` in place
        of the keys leaves the cell out. By default the axes' own names are config keys.
      seeds: each cell is run once with each. Runs of one seed are paired in the statistics.
      measures: the final measures that the table shows, for example "test_error".
      derive: measures that are computed from a run's records, each with the function that does.
      diverged: what a run that diverged counts as, for each measure, in the measure's unit.
      labels: words to show for axes and their values where their own would not do.
      figures: what to draw.
      claims: what to judge.
      findings: from the records to sentences that say in words what was found.
      scale: what to call the scale that is written here: which data, how large, how long. Name
        it ("digits") where there is another; nothing is supposed of an experiment that does not.
      scales: the same question at other scales: the name of each with the fields of this class
        that it replaces, such as `{"paper": {"base": "configs/cifar10.py", "axes": ...}}`.
      as_written: whether this is the default scale, and not one that `at_scale` made.
      name: what the experiment is called; by default, as its file.
      file: the file that it was loaded from.
    """

    question: str
    base: str | ConfigDict = ""
    study: Study | None = None
    source: str = ""
    published: str = ""
    paper: "Paper | None" = None
    setup: str = ""
    settings: Settings = field(default_factory=dict)
    axes: Mapping[str, Sequence[AxisValue]] = field(default_factory=dict)
    configure: Callable[..., Settings | None] = axes_are_settings
    seeds: Sequence[int] = (0, 1, 2)
    measures: Sequence[str] = ("train_error", "test_error")
    derive: "Mapping[str, Callable[[pd.DataFrame], float]]" = field(default_factory=dict)
    diverged: Mapping[str, float] = field(
        default_factory=lambda: {"train_error": 100.0, "test_error": 100.0}
    )
    labels: Mapping[Any, str] = field(default_factory=dict)
    figures: "Sequence[Drawing]" = ()
    claims: "Sequence[Claim]" = ()
    findings: "Callable[[Records], Sequence[str]] | None" = None
    scale: str = "default"
    scales: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    as_written: bool = True
    name: str = ""
    file: Path | None = None

    def __post_init__(self) -> None:
        validation.check(self)

    @property
    def results_name(self) -> str:
        """What its folder of results is called: its name, and its scale if that is another."""
        return self.name if self.as_written else f"{self.name}-{self.scale}"

    def at_scale(self, scale: str) -> "Experiment":
        """The experiment at one of its scales.

        Args:
          scale: a key of `scales`, or the default's name.

        Raises:
          UserError: it has no such scale.

        Example:
          >>> small = Experiment(question="?", base="digits.py", scales={"paper": {"base": "c.py"}})
          >>> small.at_scale("paper").base, small.at_scale("default") is small
          ('c.py', True)
        """
        if scale == self.scale:
            return self
        if scale not in self.scales or not self.as_written:  # scales do not add up
            known = [self.scale, *(self.scales if self.as_written else ())]
            raise UserError(
                f"the experiment {self.name} has no scale {scale!r}; {did_you_mean(scale, known)}"
            )
        return replace(self, **self.scales[scale], scale=scale, as_written=False)

    def label(self, word: AxisValue) -> str:
        """What to show for an axis or for a value of one."""
        words = str(word)  # a network of one's own is called as its file is
        shown = words if own_model.is_own(words) else words.replace("_", " ")
        return self.labels.get(word, shown)

    def along(self, axis: str, held: Cell | None = None) -> list[tuple[AxisValue, Cell]]:
        """The values of an axis, each with the cell that it makes with the held values.

        An axis without a name has one value without a name, and adds nothing to the cell.
        """
        if not axis:
            return [("", held or {})]
        return [(value, {**(held or {}), axis: value}) for value in self.axes[axis]]


def load(path: str | Path) -> Experiment:
    """Reads an experiment file.

    Args:
      path: a Python file that defines a variable `experiment`.

    Returns:
      The experiment, named as the file if it has no name of its own.

    Raises:
      UserError: there is no such file, it does not run, or it defines no experiment.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: there is no such experiment file; {_files_beside(path)}")
    found = _execute(path).get("experiment")
    if not isinstance(found, Experiment):
        raise UserError(f"{path}: defines no variable `experiment` that is an Experiment; add one")
    return replace(found, name=found.name or path.stem, file=path)


def _execute(path: Path) -> dict[str, Any]:
    # Neither import nor runpy: an import would leave bytecode beside the file and a name in
    # sys.modules, and runpy may clear the globals that `configure` still needs.
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    except SyntaxError as error:
        raise UserError(f"{path}, line {error.lineno}: {error.msg}") from error
    except Exception as error:
        raise UserError(f"{path}{_line_in(path, error)}: {_told(error)}") from error
    return module.__dict__


def _told(error: Exception) -> str:
    slip = re.search(r"\bExperiment\.__init__.* unexpected keyword argument '(\w+)'", str(error))
    if slip:
        known = [each.name for each in fields(Experiment)]
        return f"an Experiment has no field {slip[1]!r}; {did_you_mean(slip[1], known)}"
    kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
    return f"{kind}{error}"


def _line_in(path: Path, error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def _files_beside(path: Path) -> str:
    below = path.parent / "experiments" / f"{path.name.removesuffix('.py')}.py"
    if below.is_file():
        return f"did you mean '{below}'?"
    names = sorted(file.name for file in path.parent.glob("*.py"))
    return did_you_mean(path.name, names) if names else f"{path.parent} has no Python files"
