"""What makes a deep plain network train, and what makes it diverge?

    resnet-jax run experiments/trainable_plain.py

Takes: a little under five minutes on two cores.
Finds: batch norm and delta-orthogonal initialisation train the plain network of 32 layers (to 3.4
and 8.4% of training error, against 89% with nothing; 3 seeds). Remedies that start branches at
zero train the residual network alone.
"""

from resnet_jax.lab import Experiment, Records, claims, figures

DEPTH = 32
FAILS = 20.0  # percent, as He et al. 2016 have it in their tables
BARE = {"model.normalization": "none"}
REMEDIES = {
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


def settings(family: str, remedy: str) -> dict[str, str | bool]:
    """The run of a cell."""
    return {"model.name": f"{family}{DEPTH}"} | REMEDIES[remedy]


def findings(found: Records) -> list[str]:
    """The answer in words."""
    told = []
    for family, name in (("plain", "plain"), ("resnet", "residual")):
        errors = {each: found.summary("train_error", at(family, each)).mean for each in REMEDIES}
        trains = [f"{each} ({error:.1f}%)" for each, error in errors.items() if error < FAILS]
        fails = [each for each, error in errors.items() if error >= FAILS]
        told.append(
            f"The {name} network of {DEPTH} layers trains, to a mean training error below "
            f"{FAILS:g}%, with {', '.join(trains) or 'none'}; and does not with {', '.join(fails)}."
        )
    told.append(
        "Norm with a zero last scale, Fixup, SkipInit and ReZero start every branch at zero. "
        "Without a shortcut nothing then comes through, forward or backward, and no number of "
        "steps or seeds would change that."
    )
    return told


experiment = Experiment(
    question=f"What makes a plain network of {DEPTH} layers train?",
    source=(
        "Ioffe and Szegedy 2015 (batch norm), Goyal et al. 2017 (zero last scale), Xiao et al. "
        "2018 (delta-orthogonal), Zhang et al. 2019 (Fixup), De and Smith 2020 (SkipInit), "
        "Bachlechner et al. 2020 (ReZero)"
    ),
    setup=(
        "300 steps of 32 digits at a learning rate of 0.01 for all; a remedy that needs another "
        "one has it here to its disadvantage. Remedies that start a branch at zero start a plain "
        "network at a constant, through which no gradient comes."
    ),
    base="configs/digits.py",
    scale="digits",
    axes={"family": ("plain", "resnet"), "remedy": tuple(REMEDIES)},
    configure=settings,
    seeds=(0, 1, 2),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},  # that of a guess among ten classes
    labels={"resnet": "residual"},
    figures=(
        figures.Final(
            x="remedy",
            lines="family",
            measures=("train_error",),
            says="Training error after 300 steps, by remedy.",
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
                f"The residual network trains with {remedy}, to an error below 5%",
                measure="train_error",
                cell=at("resnet", remedy),
                high=5.0,
            )
            for remedy in ("batch norm", "norm, zero last", "Fixup", "SkipInit", "ReZero")
        ),
    ),
)
