"""Lesion study: the error of a trained network when units are dropped. Veit et al. 2016.

    resnet-jax run experiments/lesion.py --workers 2

Takes: about two minutes on two cores.
"""

from resnet_jax.lab import Experiment, Records, Until, claims, figures
from resnet_jax.lab.studies import lesion

NETWORKS = ("plain20", "resnet20", "resnet56")
MEASURES = ("intact", "median_lesion", "worst_lesion", "lesion_2", "lesion_4")


def findings(records: Records) -> list[str]:
    """The test errors of each network, in words."""
    sentences = []
    for network in NETWORKS:
        error = {of: records.summary(of, {"model.name": network}).mean for of in MEASURES}
        sentences.append(
            f"{network} has a test error of {error['intact']:.1f}%. With one unit dropped the "
            f"median error is {error['median_lesion']:.1f}% and the largest "
            f"{error['worst_lesion']:.1f}%; with two and four random units dropped it is "
            f"{error['lesion_2']:.1f}% and {error['lesion_4']:.1f}%."
        )
    return sentences


experiment = Experiment(
    question="How does the error of a trained network change when units are dropped?",
    source="Veit et al. 2016, section 4, Figs. 3 and 5",
    published=(
        "On CIFAR-10, dropping any layer of VGG takes the error to chance level; dropping a unit "
        "of a residual network of 110 layers hardly changes it."
    ),
    setup=(
        "Networks trained for 300 steps on digits and tested with units dropped, with the norms' "
        "running statistics unchanged. A plain unit can be dropped only if it keeps the shape of "
        "its input. Chance is at 90%: at 50% or more, over half of what was learned is lost; at "
        "10% or less, most of it is kept."
    ),
    base="configs/digits.py",
    scale="digits",
    study=lesion.STUDY,
    axes={"model.name": NETWORKS},
    seeds=Until(start=100),
    measures=MEASURES,
    labels={"model.name": "network"},
    figures=(
        figures.Final(
            x="model.name",
            measures=MEASURES[:3],
            says="Test error of the intact network and with one unit dropped.",
        ),
        figures.Final(
            name="several",
            x="model.name",
            measures=MEASURES[3:],
            says="Test error with two and four units dropped, averaged over five random choices.",
        ),
    ),
    claims=(
        claims.Within(
            "Dropping one unit of plain-20 takes the test error to 50% or more (median over units)",
            measure="median_lesion",
            cell={"model.name": "plain20"},
            low=50.0,
            published="dropping any layer of VGG takes it to 90% (Veit et al. 2016)",
        ),
        claims.Within(
            "Dropping one unit of ResNet-56 leaves the test error at 10% or less (median over "
            "units)",
            measure="median_lesion",
            cell={"model.name": "resnet56"},
            high=10.0,
            published="dropping a unit of 54 hardly changes it (Veit et al. 2016)",
        ),
    ),
    findings=findings,
)
