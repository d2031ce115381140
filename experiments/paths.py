"""Length of the paths that carry the gradient through a residual network. Veit et al. 2016.

    resnet-jax run experiments/paths.py --workers 2

Takes: about a minute on two cores.
"""

from resnet_jax.lab import Experiment, Records, Until, claims, figures
from resnet_jax.lab.studies import paths
from resnet_jax.lab.studies.theory import path_length

UNITS = (9, 27, 54)
TOLERANCE = 0.05


def agrees_with_theory(units: int) -> claims.Within:
    """The claim that the mean length is that of theory, up to the tolerance."""
    theory = path_length(units, layers=2, batch=64)
    return claims.Within(
        f"With {units} units the mean path length is within {TOLERANCE:.0%} of theory",
        measure="length",
        cell={"units": units},
        low=theory * (1 - TOLERANCE),
        high=theory * (1 + TOLERANCE),
        published=f"{theory:.2f}",
    )


def findings(records: Records) -> list[str]:
    """The mean length at the largest depth, in words."""
    length = records.told("length", {"units": 54})
    return [
        f"Through a stack of 54 units the gradient takes paths of {length} on average. A path that "
        "took branches and shortcuts equally often would have 27: most of the gradient bypasses "
        "most branches.",
    ]


experiment = Experiment(
    question="How long are the paths that carry the gradient through a residual network?",
    source="Veit et al. 2016, section 5; theory derived for this project",
    setup=(
        "Stacks of pre-activation units with two layers in each branch, at initialization. The "
        "length of a path is its number of branches; the mean weights each path by its share of "
        "the squared gradient. The tolerance of 5% is for finite width: theory is for infinite "
        "width, the stacks are 128 wide. Ten branches are fewer than half of the 27 that a path "
        "takes if it chooses branches and shortcuts equally often."
    ),
    study=paths.STUDY,
    axes={"units": UNITS},
    seeds=Until(start=100),
    measures=("length", "deviation"),
    figures=(
        figures.Final(
            x="units", measures=("length",), says="Mean path length against the number of units."
        ),
    ),
    claims=(
        *map(agrees_with_theory, UNITS),
        claims.Within(
            "With 54 units the mean path length is 10 branches or less",
            measure="length",
            cell={"units": 54},
            high=10.0,
            published="after training, mostly 5 to 17 of 54 units (Veit et al. 2016)",
        ),
    ),
    findings=findings,
)
