"""What is left of a trained network when a unit is dropped?

    resnet-jax run experiments/lesion.py

Takes: not yet measured at this size.
Finds: not yet run whole by us.
"""

from resnet_jax.lab import Experiment, claims, figures
from resnet_jax.lab.studies import lesion

MEASURES = ("intact", "median_lesion", "worst_lesion", "lesion_2", "lesion_4")


experiment = Experiment(
    question="What is left of a trained network when a unit is dropped?",
    source="Veit et al. 2016, section 4, Figs. 3 and 5",
    published=(
        "On CIFAR-10 dropping any unit of VGG takes the error to that of a guess; dropping one of "
        "a residual network of 110 layers hardly changes it."
    ),
    setup=(
        "Networks trained for 300 steps on digits, then tested with units dropped, the statistics "
        "of the norms unchanged. A plain unit can be dropped only where it keeps its input's shape."
    ),
    base="configs/digits.py",
    study=lesion.STUDY,
    axes={"model.name": ("plain20", "resnet20", "resnet56")},
    seeds=(0, 1, 2),
    measures=MEASURES,
    labels={"model.name": "network"},
    figures=(
        figures.Final(
            x="model.name",
            measures=MEASURES[:3],
            says="Test error of the intact network, and with one unit dropped.",
        ),
    ),
    claims=(
        claims.Within(
            "Half of the units of plain-20 take the error above 50% when dropped alone",
            measure="median_lesion",
            cell={"model.name": "plain20"},
            low=50.0,
        ),
        claims.Within(
            "Half of the units of ResNet-56 leave it below 10% when dropped alone",
            measure="median_lesion",
            cell={"model.name": "resnet56"},
            high=10.0,
        ),
    ),
)
