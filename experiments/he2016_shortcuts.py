"""Is the identity the best shortcut? He et al. 2016, Table 1.

    resnet-jax run experiments/he2016_shortcuts.py --workers 2
    resnet-jax run experiments/he2016_shortcuts.py --scale paper --dry-run

Takes: about ten minutes on two cores.
"""

from typing import Any

from resnet_jax.lab import Experiment, Paper, Until, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["he2016_shortcuts"]


def scaled(shortcut: float, branch: float) -> dict[str, Any]:
    """h(x) = shortcut * x, with the branch multiplied by `branch`."""
    both = {"model.shortcut": "scaled", "model.shortcut_scale": shortcut}
    scale = {"model.branch_scale": "constant", "model.branch_constant": branch}
    return both | (scale if branch != 1 else {})


def gated(kind: str, bias: float) -> dict[str, Any]:
    """A gating shortcut with the initial bias `bias`."""
    return {"model.shortcut": f"{kind}_gating", "model.gate_bias": bias}


CASES: dict[str, tuple[dict[str, Any], Any]] = {
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
"""Name -> settings and the paper's test error, in percent."""

FAILS = 20.0  # error in percent above which the paper's table says "fail"
WORSE = [name for name in CASES if name not in ("original", "shortcut-only gating, bias -6")]


def at(case: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"shortcut": case}


def in_words(figure: float | str) -> str:
    """An entry of the paper's table, in words."""
    return f"{figure} (an error above 20%)" if figure == "fail" else f"{figure:.2f}%"


def paper_claims(measure: str) -> tuple[claims.Claim, ...]:
    """The paper's claims about an error, with a margin of half a point."""
    does = {"train_error": "trains", "test_error": "tests"}[measure]
    return tuple(
        claims.Greater(
            f"The shortcut “{case}” {does} worse than the identity",
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
        "No. On CIFAR-10, ResNet-110 with scaling, gating, 1x1 convolution or dropout on the "
        "shortcut trains worse or fails; shortcut-only gating with a bias of -6 is almost as good "
        "as the identity."
    ),
    paper=Paper(
        source="He et al. 2016, arXiv 1603.05027, Table 1",
        figures=lambda shortcut: CASES[shortcut][1],
        fails_above=FAILS,
        words="CIFAR-10, ResNet-110, median of 5 runs",
    ),
    setup=(
        "ResNet-32 (15 units, where the paper has 54), 200 steps with batches of 32 digits. "
        "Claims are about the training error, since the paper attributes the failures to "
        "optimization. “Worse” means by more than half a point of it (7 of 1,437 images). Where a "
        "unit changes the shape, shortcuts build on option A."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"model.name": "resnet32", "train.steps": 200},
    axes={"shortcut": tuple(CASES)},
    configure=lambda shortcut: CASES[shortcut][0],
    seeds=Until(start=100),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    figures=(figures.Final(x="shortcut", says="Final errors by shortcut."),),
    claims=paper_claims("train_error"),
    scales={
        "paper": {
            "base": "configs/cifar10.py:warmup",
            "settings": {"model.name": "resnet110"},
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "The paper's recipe for ResNet-110: 64,000 steps with batches of 128, 400 of them "
                "at a learning rate of 0.01, then 0.1, divided by 10 after 32,000 and 48,000 "
                "steps. Inputs and initialization are those of configs/cifar10.py. The margin, "
                "half a point of the test error, is a quarter of the smallest difference in the "
                "paper."
            ),
            "claims": paper_claims("test_error"),
        }
    },
)
