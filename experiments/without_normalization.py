"""Can branches that start at zero take the place of batch norm? Fixup, SkipInit, ReZero.

    resnet-jax run experiments/without_normalization.py
    resnet-jax run experiments/without_normalization.py --scale paper --dry-run

Takes: about six minutes on two cores.
Finds: after 200 steps ResNet-56 has a training error of 0.1% with batch norm and with group norm,
0.3% with layer norm, and of 5.9, 10 and 12% with ReZero, Fixup and SkipInit in place of a norm;
with nothing it does not train (3 seeds).
"""

from resnet_jax.lab import Experiment, Paper, claims, figures
from resnet_jax.lab.formatting import difference
from resnet_jax.models import published

TABLE = published.tables()["others_cifar"]["rezero_resnet56"]
BARE = {"model.normalization": "none"}
KINDS = {
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
OF_OTHERS = {
    "SkipInit": "at ImageNet's scale, at small batches and rates (De and Smith 2020)",
    "ReZero": "–",
}
FIGURES = {
    "batch norm": TABLE["cifar10_vanilla"],
    "Fixup": TABLE["cifar10_fixup"],
    "batch norm and ReZero": TABLE["cifar10_rezero"],
}
"""ReZero's is of units with norms, whose branches end in ReLU and a scale that starts at 0."""

RECIPE = {
    "optimizer.weight_decay": 5e-4,
    "schedule.drop_steps": (),
    "schedule.drop_epochs": (100, 150),
    "train.steps": 0,
    "train.epochs": 200.0,
}
"""Of the runs behind the figures (tbachlechner/Fixup, cifar/run.sh and its defaults), where it is
not that of He et al. 2015."""


def at(kind: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"kind": kind}


def judged(measure: str, margin: float) -> tuple[claims.Claim, ...]:
    """That each takes batch norm's place, by a measure and the difference that matters."""
    return (
        *(
            claims.NotGreater(
                f"{kind} in place of batch norm costs {difference(margin, measure)} at most",
                measure=measure,
                cell=at(kind),
                than=at("batch norm"),
                margin=margin,
                published=f"{FIGURES[kind]:g}% and {FIGURES['batch norm']:g}%"
                if kind in FIGURES
                else OF_OTHERS[kind],
            )
            for kind in INSTEAD
        ),
        claims.Greater(
            "Without norm and with nothing in its place the network is worse",
            measure=measure,
            cell=at("nothing"),
            than=at("batch norm"),
            margin=margin,
            published="it explodes (Zhang et al. 2019, section 2)",
        ),
    )


experiment = Experiment(
    question="What can take the place of batch norm in a deep residual network?",
    source=(
        "Zhang et al. 2019 (Fixup), De and Smith 2020 (SkipInit), Bachlechner et al. 2020 (ReZero)"
    ),
    published=(
        "Residual networks without norm train if their branches start small. For ResNet-56 on "
        "CIFAR-10 the authors of ReZero list 7.74% with batch norm, 7.5% with Fixup in its place, "
        "and 6.38% with ReZero beside it."
    ),
    paper=Paper(source=TABLE["source"], figures=FIGURES, words="CIFAR-10, ResNet-56"),
    setup=(
        "ResNet-56, 200 steps of 32 digits at a rate of 0.01 for all: one that a remedy would "
        "have had otherwise, it lacks here to its disadvantage. Fixup's scalars have the rate of "
        "the weights, a tenth of which its authors' code gives them."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"model.name": "resnet56", "train.steps": 200},
    axes={"kind": tuple(KINDS)},
    configure=lambda kind: KINDS[kind],
    seeds=(0, 1, 2),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    figures=(
        figures.Final(x="kind", says="Errors at the end of training."),
        figures.Curves(lines="kind", says="Training error against step."),
    ),
    claims=judged("train_error", margin=1.0),
    scales={
        "paper": {
            "base": "configs/cifar10.py",
            "settings": {"model.name": "resnet56"} | RECIPE,
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "For all the recipe behind the figures of the authors of ReZero: 200 epochs of "
                "batches of 128 at 0.1, divided by 10 after 100 and 150 of them, weight decay "
                "5e-4; inputs and initial values as configs/cifar10.py has them."
            ),
            "claims": judged("test_error", margin=0.5),
        }
    },
)
