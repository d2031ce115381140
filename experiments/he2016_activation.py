"""Order of norm, ReLU and addition in a residual unit. He et al. 2016, Table 2.

    resnet-jax run experiments/he2016_activation.py --workers 2
    resnet-jax run experiments/he2016_activation.py --scale paper --dry-run

Takes: about eight minutes on two cores.
"""

from resnet_jax.lab import Experiment, Paper, Until, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["he2016_activation"]
ROWS = {
    "original": "original",
    "bn_after_addition": "bn_after_addition",
    "relu_before_addition": "relu_before_addition",
    "relu_only_preactivation": "relu_only_preactivation",
    "preactivation": "full_preactivation",
}
"""Our order -> row of the paper's table."""

MARGINS = {("relu_before_addition", "bottleneck"): 0.1}
"""Margins other than 0.5 points."""

SMALL = {"basic": "resnet32", "bottleneck": "resnet29-bottleneck"}
LARGE = {"basic": "resnet110", "bottleneck": "resnet164"}


def in_paper(order: str, branch: str) -> float:
    """Test error of ResNet-110 (basic units) or ResNet-164 (bottlenecks)."""
    return TABLE[ROWS[order]][0 if branch == "basic" else 1]


def at(order: str, branch: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"order": order, "branch": branch}


def paper_claims(measure: str) -> tuple[claims.Claim, ...]:
    """The paper's claims about an error."""
    units = {"basic": "Basic units", "bottleneck": "Bottlenecks"}
    do = {"train_error": "train", "test_error": "test"}[measure]

    def against(order: str, branch: str, text: str, kind: type) -> claims.Claim:
        return kind(
            f"{units[branch]} {do} {text}",
            measure=measure,
            cell=at(order, branch),
            than=at("original", branch),
            margin=MARGINS.get((order, branch), 0.5),
            published=f"{in_paper(order, branch):.2f}% against {in_paper('original', branch):.2f}%",
        )

    return tuple(
        claim
        for branch in SMALL
        for claim in (
            against(
                "bn_after_addition", branch, "worse with BN after the addition", claims.Greater
            ),
            against(
                "relu_before_addition",
                branch,
                "worse with ReLU before the addition",
                claims.Greater,
            ),
            against(
                "relu_only_preactivation",
                branch,
                "no worse with ReLU-only pre-activation",
                claims.NotGreater,
            ),
            against(
                "preactivation", branch, "no worse with full pre-activation", claims.NotGreater
            ),
        )
    )


experiment = Experiment(
    question="Where in a residual unit should norm and ReLU stand?",
    source="He et al. 2016, section 4.1, Table 2 and Fig. 4",
    published=(
        "On CIFAR-10 they are best before the convolutions (full pre-activation). Worst are BN "
        "after the addition, and ReLU before it, which makes the output of every branch "
        "non-negative."
    ),
    paper=Paper(
        source="He et al. 2016, arXiv 1603.05027, Table 2",
        figures=in_paper,
        words="CIFAR-10, ResNet-110 and ResNet-164, median of 5 runs",
    ),
    setup=(
        "ResNet-32 (15 basic units) and ResNet-29 (9 bottlenecks), 200 steps with batches of 32 "
        "digits. Claims are about the training error, which shows smaller differences than the "
        "test error of 360 images. “Worse” means by more than half a point of it (7 of 1,437 "
        "images); for bottlenecks with ReLU before the addition by more than 0.1 points, since "
        "the paper's difference is 0.21."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"train.steps": 200},
    axes={"order": tuple(ROWS), "branch": tuple(SMALL)},
    configure=lambda order, branch: {"model.name": SMALL[branch], "model.order": order},
    seeds=Until(start=100),
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
        figures.Final(x="order", lines="branch", says="Final errors by order."),
        figures.Curves(
            panels="branch",
            lines="order",
            says="Training error against step, basic units and bottlenecks.",
        ),
    ),
    claims=paper_claims("train_error"),
    scales={
        "paper": {
            "base": "configs/cifar10.py:warmup",
            "settings": {},
            "configure": lambda order, branch: {"model.name": LARGE[branch], "model.order": order},
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "The paper's recipe for ResNet-110 and ResNet-164: 64,000 steps with batches of "
                "128, 400 of them at a learning rate of 0.01, then 0.1, divided by 10 after "
                "32,000 and 48,000 steps. Inputs and initialization are those of "
                "configs/cifar10.py. Margins are half a point of the test error, and 0.1 points "
                "where the paper's difference is 0.21."
            ),
            "claims": paper_claims("test_error"),
        }
    },
)
