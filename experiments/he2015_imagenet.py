"""The ImageNet networks of 18 to 152 layers. He et al. 2015, Tables 2 to 4.

    resnet-jax run experiments/he2015_imagenet.py --workers 2
    resnet-jax run experiments/he2015_imagenet.py --scale paper --dry-run

Takes: about three minutes on two cores.
"""

from resnet_jax.lab import Experiment, Paper, Until, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["he2015_imagenet"]
SMALL = ("plain18", "plain34", "resnet18", "resnet34", "resnet50")
ALL = (*SMALL, "resnet101", "resnet152")
OPTION_A = ("resnet18", "resnet34")  # as in the paper's Table 2


def settings(network: str) -> dict[str, str]:
    """Basic units with option A, as in Table 2; bottlenecks with option B, as in Table 3."""
    shortcut = {"model.shortcut": "A"} if network in OPTION_A else {}
    return {"model.name": network} | shortcut


def in_paper(network: str) -> float:
    """10-crop top-1 error."""
    return TABLE.get(network, {}).get("top1", TABLE.get(f"{network}_A", {}).get("top1"))


def at(network: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"network": network}


def paper_claims(measure: str, margin: float) -> tuple[claims.Claim, ...]:
    """The paper's claims; `margin` is the relevant difference, in points."""

    does = {"train_error": "trains", "test_error": "tests"}[measure]

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
        better(
            "plain18",
            "plain34",
            f"The plain network of 34 layers {does} worse than that of 18 layers",
        ),
        better("resnet34", "resnet18", f"ResNet-34 {does} better than ResNet-18"),
        better(
            "resnet34", "plain34", f"ResNet-34 {does} better than the plain network of 34 layers"
        ),
        better(
            "resnet50", "resnet34", f"ResNet-50, with bottlenecks, {does} better than ResNet-34"
        ),
    )


experiment = Experiment(
    question="Do the ImageNet networks gain from depth, and only with shortcuts?",
    source="He et al. 2015, section 4.1, Tables 2 to 4",
    published=(
        "On ImageNet the plain network of 34 layers is worse than that of 18, ResNet-34 is better "
        "than ResNet-18 by 2.8 points, and 50, 101 and 152 layers are better still by considerable "
        "margins."
    ),
    paper=Paper(
        source="He et al. 2015, arXiv 1512.03385, Tables 2 and 3",
        figures=in_paper,
        words="ImageNet, 10-crop top-1 error (ours: single-crop)",
    ),
    setup=(
        "Four stages of 16, 32, 64 and 128 channels, a quarter of the paper's widths, with a stem "
        "that keeps the resolution; 300 steps with batches of 32 digits. Claims are about the "
        "training error, since a test set of 360 images is too coarse; “better” and “worse” mean "
        "by more than half a point of it (7 of 1,437 images). 101 and 152 layers are left out."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"model.stem": "cifar", "model.widths": (16, 32, 64, 128)},
    axes={"network": SMALL},
    configure=settings,
    seeds=Until(start=100),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    figures=(
        figures.Final(x="network", says="Final errors by network."),
        figures.Curves(lines="network", says="Training error against step, by network."),
    ),
    claims=paper_claims("train_error", margin=0.5),
    scales={
        "paper": {
            "base": "configs/imagenet.py",
            "settings": {"model.dtype": "float32"},
            "axes": {"network": ALL},
            "seeds": (0,),
            "diverged": {"train_error": 99.9, "test_error": 99.9},
            "setup": (
                "configs/imagenet.py in float32; its docstring lists the differences from the "
                "paper's recipe. One run of each network, as in the paper, so every claim stays "
                "inconclusive. Their margin, 0.2 points, is a third of the smallest difference in "
                "the paper."
            ),
            "claims": paper_claims("test_error", margin=0.2),
        }
    },
)
