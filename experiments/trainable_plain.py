"""What makes a deep plain network without batch norm train?

    resnet-jax run experiments/trainable_plain.py --workers 2

Takes: about eight minutes on two cores.
"""

from typing import Any

from resnet_jax.lab import Experiment, Records, Until, claims, figures

DEPTH = 32
FAILS = 20.0  # percent, as in the tables of He et al. 2016
BARE: dict[str, Any] = {"model.normalization": "none"}
REMEDIES: dict[str, dict[str, Any]] = {
    "nothing": BARE,
    "batch norm": {},
    "norm, zero last": {"model.zero_init_residual": True},
    "delta-orthogonal": BARE | {"model.initializer": "delta_orthogonal"},
    "Fixup": BARE | {"model.branch_scale": "fixup"},
    "SkipInit": BARE | {"model.branch_scale": "skipinit"},
    "ReZero": BARE | {"model.branch_scale": "rezero", "model.order": "preactivation"},
}


def at(family: str, remedy: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"family": family, "remedy": remedy}


def settings(family: str, remedy: str) -> dict[str, Any]:
    """Settings of a cell."""
    return {"model.name": f"{family}{DEPTH}"} | REMEDIES[remedy]


def findings(records: Records) -> list[str]:
    """Which remedies train which network, in words."""
    sentences = []
    for family, name in (("plain", "plain"), ("resnet", "residual")):
        errors = {each: records.summary("train_error", at(family, each)).mean for each in REMEDIES}
        trains = [f"{each} ({error:.1f}%)" for each, error in errors.items() if error < FAILS]
        fails = [each for each, error in errors.items() if error >= FAILS]
        sentences.append(
            f"The {name} network of {DEPTH} layers reaches a mean training error below {FAILS:g}% "
            f"with {', '.join(trains) or 'none'}, and fails with {', '.join(fails) or 'none'}."
        )
    sentences.append(
        "Batch norm with a zero-initialized last scale, Fixup, SkipInit and ReZero start every "
        "branch at zero. Without shortcuts no signal then passes, forward or backward, whatever "
        "the number of steps or the seed."
    )
    return sentences


experiment = Experiment(
    question=f"What makes a plain network of {DEPTH} layers train?",
    source=(
        "Ioffe and Szegedy 2015 (batch norm), Goyal et al. 2017 (zero last scale), Xiao et al. "
        "2018 (delta-orthogonal), Zhang et al. 2019 (Fixup), De and Smith 2020 (SkipInit), "
        "Bachlechner et al. 2020 (ReZero)"
    ),
    setup=(
        "300 steps with batches of 32 digits at a learning rate of 0.01 for all, which puts "
        "remedies that need another rate at a disadvantage. Remedies that start branches at zero "
        "make a plain network a constant, through which no gradient passes. “Better” means by more "
        "than 1 point (14 of 1,437 images); a residual network “trains” if its mean training error "
        "is 5% or less (71 images), where chance is at 90%."
    ),
    base="configs/digits.py",
    scale="digits",
    axes={"family": ("plain", "resnet"), "remedy": tuple(REMEDIES)},
    configure=settings,
    seeds=Until(start=100),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},  # chance level of ten classes
    labels={"resnet": "residual"},
    figures=(
        figures.Final(
            x="remedy",
            lines="family",
            measures=("train_error",),
            says="Training error after 300 steps by remedy.",
        ),
    ),
    findings=findings,
    claims=(
        *(
            claims.Greater(
                f"The plain network trains better with {remedy} than with nothing",
                measure="train_error",
                cell=at("plain", "nothing"),
                than=at("plain", remedy),
                margin=1.0,
            )
            for remedy in ("batch norm", "delta-orthogonal")
        ),
        *(
            claims.Within(
                f"The residual network trains with {remedy}, to a training error of 5% or less",
                measure="train_error",
                cell=at("resnet", remedy),
                high=5.0,
            )
            for remedy in ("batch norm", "norm, zero last", "Fixup", "SkipInit", "ReZero")
        ),
    ),
)
