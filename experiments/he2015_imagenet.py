"""The networks for ImageNet, from 18 to 152 layers. He et al. 2015, Tables 2 to 4.

    resnet-jax run experiments/he2015_imagenet.py
    resnet-jax run experiments/he2015_imagenet.py --scale paper --dry-run

Takes: about six minutes on two cores.
Finds: plain-34 is worse than plain-18 (20% against 0.1% training error); the residual networks of
18, 34 and 50 layers all fit the digits, so that depth has nothing to gain (5 seeds).
"""

from resnet_jax.lab import Experiment, Paper, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["he2015_imagenet"]
SMALL = ("plain18", "plain34", "resnet18", "resnet34", "resnet50")
ALL = (*SMALL, "resnet101", "resnet152")
OPTION_A = ("resnet18", "resnet34")  # as in the paper's Table 2


def settings(network: str) -> dict[str, str]:
    """Basic units have option A, as in Table 2, and bottlenecks B, as in Table 3."""
    shortcut = {"model.shortcut": "A"} if network in OPTION_A else {}
    return {"model.name": network} | shortcut


def in_paper(network: str) -> float:
    """Top-1 error of 10 crops."""
    return TABLE.get(network, {}).get("top1", TABLE.get(f"{network}_A", {}).get("top1"))


def at(network: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"network": network}


def judged(measure: str, margin: float) -> tuple[claims.Claim, ...]:
    """The paper's claims, by a measure and the difference in points that matters at a scale."""

    def better(deeper: str, than: str, text: str) -> claims.Claim:
        return claims.Greater(
            text,
            measure=measure,
            cell=at(than),
            than=at(deeper),
            margin=margin,
            published=f"{in_paper(than):.2f}% and {in_paper(deeper):.2f}% on ImageNet",
        )

    return (
        better("plain18", "plain34", "The plain network of 34 layers is worse than that of 18"),
        better("resnet34", "resnet18", "ResNet-34 is better than ResNet-18"),
        better("resnet34", "plain34", "At 34 layers shortcuts make a better network"),
        better("resnet50", "resnet34", "ResNet-50, of bottlenecks, is better than ResNet-34"),
    )


experiment = Experiment(
    question="Do the networks for ImageNet gain from depth, and by their shortcuts alone?",
    source="He et al. 2015, section 4.1, Tables 2 to 4",
    published=(
        "On ImageNet the plain network of 34 layers is worse than that of 18, ResNet-34 better "
        "than ResNet-18 by 2.8 points, and 50, 101 and 152 layers are better by considerable "
        "margins."
    ),
    paper=Paper(
        source="He et al. 2015, arXiv 1512.03385, Tables 2 and 3",
        figures=in_paper,
        words="ImageNet, top-1 error of 10 crops, where ours is of one",
    ),
    setup=(
        "Four stages of 16, 32, 64 and 128 channels, a quarter of the paper's, with a stem that "
        "keeps the size of a digit; 300 steps of 32. Claims are on the training error, in which "
        "test errors of 360 images would hide; 101 and 152 layers are left out."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"model.stem": "cifar", "model.widths": (16, 32, 64, 128)},
    axes={"network": SMALL},
    configure=settings,
    seeds=(0, 1, 2, 3, 4),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    figures=(
        figures.Final(x="network", says="Errors at the end of training, by network."),
        figures.Curves(lines="network", says="Training error against step, by network."),
    ),
    claims=judged("train_error", margin=0.5),
    scales={
        "paper": {
            "base": "configs/imagenet.py",
            "settings": {"model.dtype": "float32"},
            "axes": {"network": ALL},
            "seeds": (0,),
            "diverged": {"train_error": 99.9, "test_error": 99.9},
            "setup": (
                "configs/imagenet.py in float32; what it does not have of the paper's recipe, its "
                "first lines say. One run of each, as in the paper: no claim is decided by one."
            ),
            "claims": judged("test_error", margin=0.2),
        }
    },
)
