"""Identity or projection: shortcut options A, B and C. He et al. 2015, Table 3.

    resnet-jax run experiments/he2015_shortcuts.py --workers 2
    resnet-jax run experiments/he2015_shortcuts.py --scale paper --dry-run

Takes: about six minutes on two cores.
"""

from resnet_jax.lab import Experiment, Paper, Until, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["he2015_imagenet"]
OPTIONS = ("none", "A", "B", "C")


def in_paper(shortcut: str) -> float:
    """10-crop top-1 error: Table 2 for the plain network, Table 3 for the options."""
    return TABLE["plain34" if shortcut == "none" else f"resnet34_{shortcut}"]["top1"]


def at(shortcut: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"shortcut": shortcut}


def paper_claims(margin: float, small: float) -> tuple[claims.Claim, ...]:
    """The paper's claims.

    Args:
      margin: by how many points of test error the plain network is worse.
      small: largest difference between options that counts as small, in points.
    """
    return (
        *(
            claims.Greater(
                f"The plain network tests worse than a residual one with option {option}",
                measure="test_error",
                cell=at("none"),
                than=at(option),
                margin=margin,
                published=f"28.54% and {in_paper(option):.2f}%",
            )
            for option in "ABC"
        ),
        *(
            claims.NotGreater(
                f"Option A tests worse than option {option} by at most {small:g} point",
                measure="test_error",
                cell=at("A"),
                than=at(option),
                margin=small,
                published=f"25.03% and {in_paper(option):.2f}%: “projections are not essential”",
            )
            for option in "BC"
        ),
    )


experiment = Experiment(
    question="Are projection shortcuts needed?",
    source="He et al. 2015, section 4.1, Tables 2 and 3",
    published=(
        "ResNet-34 on ImageNet: all three options are considerably better than the plain network, "
        "B is slightly better than A, and C marginally better than B. The small differences "
        "indicate that projections are not essential for addressing the degradation problem."
    ),
    paper=Paper(
        source="He et al. 2015, arXiv 1512.03385, Tables 2 and 3",
        figures=in_paper,
        words="ImageNet, 34 layers, 10-crop top-1 error (ours: single-crop)",
    ),
    setup=(
        "Networks of 32 layers, 300 steps with batches of 32 digits. The plain network is “worse” "
        "by more than 1 point of the test error (about 4 of 360 images), and differences between "
        "options of up to 1 point are small."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"model.name": "resnet32"},
    axes={"shortcut": OPTIONS},
    configure=lambda shortcut: {"model.shortcut": shortcut},
    seeds=Until(start=100),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    labels={"none": "none (plain)"},
    figures=(
        figures.Final(x="shortcut", says="Final errors by shortcut."),
        figures.Curves(lines="shortcut", says="Training error against step, by shortcut."),
    ),
    claims=paper_claims(margin=1.0, small=1.0),
    scales={
        "paper": {
            "base": "configs/imagenet.py",
            "settings": {"model.name": "resnet34", "model.dtype": "float32"},
            "seeds": (0,),
            "diverged": {"train_error": 99.9, "test_error": 99.9},
            "setup": (
                "configs/imagenet.py in float32; its docstring lists the differences from the "
                "paper's recipe. One run of each network, as in the paper, so every claim stays "
                "inconclusive. Their margin is 1 point: in the paper the plain network is behind "
                "by 3.5 points or more, and the options differ by less than 0.9."
            ),
            "claims": paper_claims(margin=1.0, small=1.0),
        }
    },
)
