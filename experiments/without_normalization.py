"""Residual networks without batch norm: Fixup, SkipInit and ReZero.

    resnet-jax run experiments/without_normalization.py --workers 2
    resnet-jax run experiments/without_normalization.py --scale paper --dry-run

Takes: about eight minutes on two cores.
"""

from typing import Any

from resnet_jax.lab import Experiment, Paper, Until, claims, figures
from resnet_jax.lab.formatting import difference
from resnet_jax.models import published

TABLE = published.tables()["others_cifar"]["rezero_resnet56"]
BARE = {"model.normalization": "none"}
KINDS: dict[str, dict[str, Any]] = {
    "batch norm": {},
    "nothing": BARE,
    "Fixup": BARE | {"model.branch_scale": "fixup"},
    "SkipInit": BARE | {"model.branch_scale": "skipinit"},
    "ReZero": BARE | {"model.branch_scale": "rezero", "model.order": "preactivation"},
    "batch norm and ReZero": {
        "model.branch_scale": "rezero",
        "model.order": "relu_before_addition",
    },
    "group norm": {"model.normalization": "group", "model.norm_groups": 8},
    "layer norm": {"model.normalization": "layer"},
}
INSTEAD = ("Fixup", "SkipInit", "ReZero")
WITHOUT_FIGURE = {
    "SkipInit": "on ImageNet, at small batch sizes and learning rates (De and Smith 2020)",
    "ReZero": "–",
}
FIGURES = {
    "batch norm": TABLE["cifar10_vanilla"],
    "Fixup": TABLE["cifar10_fixup"],
    "batch norm and ReZero": TABLE["cifar10_rezero"],
}
"""The published ReZero network keeps its norms; branches end in ReLU and a scale of 0."""

RECIPE = {
    "optimizer.weight_decay": 5e-4,
    "schedule.drop_steps": (),
    "schedule.drop_epochs": (100, 150),
    "train.steps": 0,
    "train.epochs": 200.0,
}
"""Where the recipe of the published runs (tbachlechner/Fixup, cifar/run.sh and its defaults)
differs from He et al. 2015."""


def at(kind: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"kind": kind}


def paper_claims(measure: str, margin: float) -> tuple[claims.Claim, ...]:
    """That each can replace batch norm; `margin` is the relevant difference, in points."""
    does = {"train_error": "trains", "test_error": "tests"}[measure]
    return (
        *(
            claims.NotGreater(
                f"{kind} in place of batch norm {does} worse by at most "
                f"{difference(margin, measure)}",
                measure=measure,
                cell=at(kind),
                than=at("batch norm"),
                margin=margin,
                published=f"{FIGURES[kind]:g}% and {FIGURES['batch norm']:g}%"
                if kind in FIGURES
                else WITHOUT_FIGURE[kind],
            )
            for kind in INSTEAD
        ),
        claims.Greater(
            f"With nothing in place of batch norm the network {does} worse by more than "
            f"{difference(margin, measure)}",
            measure=measure,
            cell=at("nothing"),
            than=at("batch norm"),
            margin=margin,
            published="gradients explode (Zhang et al. 2019, section 2)",
        ),
    )


experiment = Experiment(
    question="What can replace batch norm in a deep residual network?",
    source=(
        "Zhang et al. 2019 (Fixup), De and Smith 2020 (SkipInit), Bachlechner et al. 2020 (ReZero)"
    ),
    published=(
        "Residual networks train without norm if their branches start small. For ResNet-56 on "
        "CIFAR-10 the authors of ReZero report 7.74% with batch norm, 7.5% with Fixup in its place "
        "and 6.38% with both batch norm and ReZero."
    ),
    paper=Paper(source=TABLE["source"], figures=FIGURES, words="CIFAR-10, ResNet-56"),
    setup=(
        "ResNet-56, 200 steps with batches of 32 digits at a learning rate of 0.01 for all, which "
        "puts methods that need another rate at a disadvantage. Fixup's scalars have the learning "
        "rate of the weights; its authors' code gives them a tenth of it. Claims are about the "
        "training error; a cost of 1 point (14 of 1,437 images) counts as small."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"model.name": "resnet56", "train.steps": 200},
    axes={"kind": tuple(KINDS)},
    configure=lambda kind: KINDS[kind],
    seeds=Until(start=100),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    figures=(
        figures.Final(x="kind", says="Final errors by kind of normalization."),
        figures.Curves(lines="kind", says="Training error against step, by kind of normalization."),
    ),
    claims=paper_claims("train_error", margin=1.0),
    scales={
        "paper": {
            "base": "configs/cifar10.py",
            "settings": {"model.name": "resnet56"} | RECIPE,
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "The recipe of the figures published by the authors of ReZero, for all: 200 "
                "epochs with batches of 128, learning rate 0.1, divided by 10 after 100 and 150 "
                "epochs, weight decay 5e-4. Inputs and initialization are those of "
                "configs/cifar10.py. Claims are about the test error; a cost of half a point "
                "counts as small, where the paper's table has differences of 0.2 and 1.4."
            ),
            "claims": paper_claims("test_error", margin=0.5),
        }
    },
)
