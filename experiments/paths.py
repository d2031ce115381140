"""How long are the paths by which the gradient comes through a residual network?

    resnet-jax run experiments/paths.py

Takes: not yet measured at this size.
Finds: not yet run whole by us.
"""

from resnet_jax.lab import Experiment, claims, figures
from resnet_jax.lab.studies import paths

UNITS = (9, 27, 54)


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
    measures=("length", "theory", "deviation"),
    figures=(
        figures.Final(x="units", measures=("length",), says="Mean path length against depth."),
    ),
    claims=(
        *(
            claims.Within(
                f"With {units} units the mean path length is within 5% of theory",
                measure="deviation",
                cell={"units": units},
                low=-5.0,
                high=5.0,
            )
            for units in UNITS
        ),
        claims.Within(
            "With 54 units the gradient comes by paths of fewer than 10 branches on average",
            measure="length",
            cell={"units": 54},
            high=10.0,
        ),
    ),
)
