"""What is left of a trained network when a unit is dropped?

    resnet-jax run experiments/lesion.py

Takes: under two minutes on two cores.
Finds: without its median unit, the test error of plain-20 goes from 2.3 to 89%, that of ResNet-20
from 1.7 to 5.0%, and that of ResNet-56 from 1.6 to 1.7% (3 seeds).
"""

from resnet_jax.lab import Experiment, Records, claims, figures
from resnet_jax.lab.studies import lesion

NETWORKS = ("plain20", "resnet20", "resnet56")
MEASURES = ("intact", "median_lesion", "worst_lesion", "lesion_2", "lesion_4")


def findings(found: Records) -> list[str]:
    """The answer in words."""
    told = []
    for network in NETWORKS:
        error = {of: found.summary(of, {"model.name": network}).mean for of in MEASURES}
        told.append(
            f"{network}, with a test error of {error['intact']:.1f}%, has one of "
            f"{error['median_lesion']:.1f}% without its median unit, {error['worst_lesion']:.1f}% "
            f"without its worst, and {error['lesion_2']:.1f}% and {error['lesion_4']:.1f}% without "
            "two and four chosen at random."
        )
    return told


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
    scale="digits",
    study=lesion.STUDY,
    axes={"model.name": NETWORKS},
    seeds=(0, 1, 2),
    measures=MEASURES,
    labels={"model.name": "network"},
    figures=(
        figures.Final(
            x="model.name",
            measures=MEASURES[:3],
            says="Test error of the intact network, and with one unit dropped.",
        ),
        figures.Final(
            name="several",
            x="model.name",
            measures=MEASURES[3:],
            says="Test error with two and with four units dropped, the mean of five choices.",
        ),
    ),
    claims=(
        claims.Within(
            "Half of the units of plain-20 take the error above 50% when dropped alone",
            measure="median_lesion",
            cell={"model.name": "plain20"},
            low=50.0,
            published="dropping any layer of VGG takes it to 90% (Veit et al. 2016)",
        ),
        claims.Within(
            "Half of the units of ResNet-56 leave it below 10% when dropped alone",
            measure="median_lesion",
            cell={"model.name": "resnet56"},
            high=10.0,
            published="dropping a unit of 54 hardly changes it (Veit et al. 2016)",
        ),
    ),
    findings=findings,
)
