"""Is the identity the best shortcut? He et al. 2016, Table 1.

    resnet-jax run experiments/he2016_shortcuts.py
    resnet-jax run experiments/he2016_shortcuts.py --scale paper --dry-run

Takes: about a quarter of an hour on two cores.
Finds: no shortcut trains better than the identity. A gate that starts almost open (bias -6)
equals it; exclusive gates are far worse here than in the paper, whatever their bias (10 seeds).
"""

from resnet_jax.lab import Experiment, Paper, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["he2016_shortcuts"]


def scaled(shortcut: float, branch: float) -> dict[str, str | float]:
    """h(x) = `shortcut` x, and F times `branch`."""
    both = {"model.shortcut": "scaled", "model.shortcut_scale": shortcut}
    scale = {"model.branch_scale": "constant", "model.branch_constant": branch}
    return both | (scale if branch != 1 else {})


def gated(kind: str, bias: float) -> dict[str, str | float]:
    """A gate whose bias starts there."""
    return {"model.shortcut": f"{kind}_gating", "model.gate_bias": bias}


CASES = {
    "original": ({"model.shortcut": "A"}, TABLE["original"]),
    "constant 0": ({"model.shortcut": "none"}, TABLE["constant_0_F_1"]),
    "constant 0.5": (scaled(0.5, 1.0), TABLE["constant_0.5_F_1"]),
    "constant 0.5, F too": (scaled(0.5, 0.5), TABLE["constant_0.5_F_0.5"]),
    "exclusive gating, bias 0": (
        gated("exclusive", 0.0),
        TABLE["exclusive_gating_bias_0_to_-5"],
    ),
    "exclusive gating, bias -6": (gated("exclusive", -6.0), TABLE["exclusive_gating_bias_-6"]),
    "exclusive gating, bias -7": (gated("exclusive", -7.0), TABLE["exclusive_gating_bias_-7"]),
    "shortcut-only gating, bias 0": (
        gated("shortcut_only", 0.0),
        TABLE["shortcut_only_gating_bias_0"],
    ),
    "shortcut-only gating, bias -6": (
        gated("shortcut_only", -6.0),
        TABLE["shortcut_only_gating_bias_-6"],
    ),
    "1x1 convolution": ({"model.shortcut": "C"}, TABLE["conv1x1_shortcut"]),
    "dropout 0.5": ({"model.shortcut": "dropout"}, TABLE["dropout_shortcut_0.5"]),
}
"""By name: the settings, and the paper's test error."""

FAILS = 20.0  # percent of error: what the paper's table calls "fail"
WORSE = [name for name in CASES if name not in ("original", "shortcut-only gating, bias -6")]


def at(case: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"shortcut": case}


def in_words(figure: float | str) -> str:
    """A figure of the paper's table."""
    return f"{figure} (an error above 20%)" if figure == "fail" else f"{figure:.2f}%"


def judged(measure: str) -> tuple[claims.Claim, ...]:
    """The paper's claims, on an error, by half a point or more; "fail" is above 20%."""
    return tuple(
        claims.Greater(
            f"The shortcut “{case}” is worse than the identity",
            measure=measure,
            cell=at(case),
            than=at("original"),
            margin=0.5,
            published=f"{in_words(CASES[case][1])} against {in_words(TABLE['original'])}",
        )
        for case in WORSE
    )


experiment = Experiment(
    question="Is any shortcut better than the identity?",
    source="He et al. 2016, section 3.1, Table 1",
    published=(
        "No: on CIFAR-10, ResNet-110 with scaled, gated, convolved or dropped shortcuts trains "
        "worse, up to not at all; a gate that starts almost open is almost as good."
    ),
    paper=Paper(
        source="He et al. 2016, arXiv 1603.05027, Table 1",
        figures=lambda shortcut: CASES[shortcut][1],
        fails_above=FAILS,
        words="CIFAR-10, ResNet-110, median of 5 runs",
    ),
    setup=(
        "ResNet-32, 15 units in place of 54, 200 steps of 32 digits. The claims are on the "
        "training error, which is what the paper explains the failures by: they are of "
        "optimisation. Shortcuts are of option A where units change the shape. Ten seeds, of which "
        "three were run and looked at first, and left most claims open: the intervals take no "
        "account of that."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"model.name": "resnet32", "train.steps": 200},
    axes={"shortcut": tuple(CASES)},
    configure=lambda shortcut: CASES[shortcut][0],
    seeds=tuple(range(10)),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    figures=(figures.Final(x="shortcut", says="Errors at the end of training, by shortcut."),),
    claims=judged("train_error"),
    scales={
        "paper": {
            "base": "configs/cifar10.py:warmup",
            "settings": {"model.name": "resnet110"},
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "The paper's: ResNet-110, 400 steps at 0.01 and then 0.1, divided by 10 after "
                "32,000 and 48,000 of 64,000 steps of 128 images; inputs and "
                "initial values as configs/cifar10.py has them."
            ),
            "claims": judged("test_error"),
        }
    },
)
