"""Where do norm and ReLU belong? He et al. 2016, Table 2.

    resnet-jax run experiments/he2016_activation.py
    resnet-jax run experiments/he2016_activation.py --scale paper --dry-run

Takes: about a quarter of an hour on two cores.
Finds: a norm after the addition is far worse (training errors of 15 and 5% after 200 steps); ReLU
before the addition, at this depth, is not; full pre-activation is about a point behind, and not
ahead (10 seeds).
"""

from resnet_jax.lab import Experiment, Paper, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["he2016_activation"]
ROWS = {
    "original": "original",
    "bn_after_addition": "bn_after_addition",
    "relu_before_addition": "relu_before_addition",
    "relu_only_preactivation": "relu_only_preactivation",
    "preactivation": "full_preactivation",
}
"""Our orders, and the paper's rows."""

NEAR, SMALL_MARGIN = ("relu_before_addition", "bottleneck"), 0.1
"""What the paper finds worse by 0.21 points alone."""

SMALL = {"basic": "resnet32", "bottleneck": "resnet29-bottleneck"}
LARGE = {"basic": "resnet110", "bottleneck": "resnet164"}


def in_paper(order: str, branch: str) -> float:
    """ResNet-110 has basic units, ResNet-164 bottlenecks."""
    return TABLE[ROWS[order]][0 if branch == "basic" else 1]


def at(order: str, branch: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"order": order, "branch": branch}


def judged(measure: str) -> tuple[claims.Claim, ...]:
    """The paper's claims, on an error, by half a point or more where the paper has as much."""
    of = {"basic": "Of basic units", "bottleneck": "Of bottlenecks"}

    def against(order: str, branch: str, text: str, kind: type) -> claims.Claim:
        return kind(
            f"{of[branch]}, {text}",
            measure=measure,
            cell=at(order, branch),
            than=at("original", branch),
            margin=SMALL_MARGIN if (order, branch) == NEAR else 0.5,
            published=f"{in_paper(order, branch):.2f}% against {in_paper('original', branch):.2f}%",
        )

    return tuple(
        claim
        for branch in SMALL
        for claim in (
            against(
                "bn_after_addition", branch, "a norm after the addition is worse", claims.Greater
            ),
            against("relu_before_addition", branch, "ReLU before it is worse", claims.Greater),
            against(
                "relu_only_preactivation", branch, "ReLU alone first is no worse", claims.NotGreater
            ),
            against("preactivation", branch, "norm and ReLU first are no worse", claims.NotGreater),
        )
    )


experiment = Experiment(
    question="Where in a unit do the norm and ReLU belong?",
    source="He et al. 2016, section 4.1, Table 2 and Fig. 4",
    published=(
        "On CIFAR-10, best before the convolutions (full pre-activation); a norm after the "
        "addition, or a ReLU before it, which makes every branch positive, are worst."
    ),
    paper=Paper(
        source="He et al. 2016, arXiv 1603.05027, Table 2",
        figures=in_paper,
        words="CIFAR-10, ResNet-110 and ResNet-164, median of 5 runs",
    ),
    setup=(
        "ResNet-32 and, of bottlenecks, ResNet-29, 200 steps of 32 digits; claims are on the "
        "training error, in which 15 and 9 units may differ before the test error of 360 images "
        "does. Ten seeds, of which three were run and looked at first, and left most claims open: "
        "the intervals take no account of that."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"train.steps": 200},
    axes={"order": tuple(ROWS), "branch": tuple(SMALL)},
    configure=lambda order, branch: {"model.name": SMALL[branch], "model.order": order},
    seeds=tuple(range(10)),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    labels={
        "branch": "units",
        "bn_after_addition": "BN after addition",
        "relu_before_addition": "ReLU before addition",
        "relu_only_preactivation": "ReLU-only pre-activation",
        "preactivation": "full pre-activation",
    },
    figures=(
        figures.Final(x="order", lines="branch", says="Errors at the end of training, by order."),
        figures.Curves(
            panels="branch",
            lines="order",
            says="Training error against step, basic units at the left, bottlenecks at the right.",
        ),
    ),
    claims=judged("train_error"),
    scales={
        "paper": {
            "base": "configs/cifar10.py:warmup",
            "settings": {},
            "configure": lambda order, branch: {"model.name": LARGE[branch], "model.order": order},
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "The paper's: ResNet-110 and ResNet-164, 400 steps at 0.01 and then 0.1, divided "
                "by 10 after 32,000 and 48,000 of 64,000 steps of 128 images; inputs and "
                "initial values as configs/cifar10.py has them."
            ),
            "claims": judged("test_error"),
        }
    },
)
