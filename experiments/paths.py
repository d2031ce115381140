"""How long are the paths by which the gradient comes through a residual network?

    resnet-jax run experiments/paths.py

Takes: about twenty seconds on two cores.
Finds: mean lengths of 3.3, 5.4 and 6.9 units of 9, 27 and 54, within 5% of theory (5 seeds).
"""

from resnet_jax.lab import Experiment, Records, claims, figures
from resnet_jax.lab.studies import paths
from resnet_jax.lab.studies.theory import path_length

UNITS = (9, 27, 54)
TOLERANCE = 0.05


def as_theory_says(units: int) -> claims.Within:
    """The claim that the mean length is as theory says, to the tolerance."""
    theory = path_length(units, layers=2, batch=64)
    return claims.Within(
        f"With {units} units the mean path length is within {TOLERANCE:.0%} of theory",
        measure="length",
        cell={"units": units},
        low=theory * (1 - TOLERANCE),
        high=theory * (1 + TOLERANCE),
        published=f"{theory:.2f}",
    )


def findings(found: Records) -> list[str]:
    """The answer in words."""
    long = found.told("length", {"units": 54})
    return [
        f"Through a stack of 54 units the gradient comes by paths of {long}, far fewer than the 27 "
        "of a path that takes each branch or shortcut alike: most of a deep residual network is "
        "passed by its shortcuts.",
    ]


experiment = Experiment(
    question="How long are the paths by which the gradient comes?",
    source="Veit et al. 2016, section 5; the theory was derived for this project",
    setup=(
        "Stacks of pre-activation units with two layers in each branch, before training; the mean "
        "number of branches on a path, each path weighted by its part in the squared gradient."
    ),
    study=paths.STUDY,
    axes={"units": UNITS},
    seeds=(0, 1, 2, 3, 4),
    measures=("length", "deviation"),
    figures=(
        figures.Final(x="units", measures=("length",), says="Mean path length against depth."),
    ),
    claims=(
        *map(as_theory_says, UNITS),
        claims.Within(
            "With 54 units the gradient comes by paths of fewer than 10 branches on average",
            measure="length",
            cell={"units": 54},
            high=10.0,
            published="most of it by 5 to 17 of 54 units, after training (Veit et al. 2016)",
        ),
    ),
    findings=findings,
)
