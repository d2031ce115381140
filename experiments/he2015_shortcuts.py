"""Options A, B and C: does a projection help? He et al. 2015, Table 3.

    resnet-jax run experiments/he2015_shortcuts.py
    resnet-jax run experiments/he2015_shortcuts.py --scale paper --dry-run

Takes: about six minutes on two cores.
Finds: test errors of 7.1% without shortcuts, and of 1.4, 1.7 and 3.1% with options A, B and C: at
this scale projections are not needed, and in every unit they harm (10 seeds).
"""

from resnet_jax.lab import Experiment, Paper, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["he2015_imagenet"]
OPTIONS = ("none", "A", "B", "C")


def in_paper(shortcut: str) -> float:
    """Table 2 for the plain network, Table 3 for the options."""
    return TABLE["plain34" if shortcut == "none" else f"resnet34_{shortcut}"]["top1"]


def at(shortcut: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"shortcut": shortcut}


def judged(margin: float, small: float) -> tuple[claims.Claim, ...]:
    """The paper's claims.

    Args:
      margin: what the plain network is worse by, in points of test error.
      small: what counts as a small difference between the options.
    """
    return (
        *(
            claims.Greater(
                f"The plain network tests worse than with option {option}",
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
                f"Option A is worse than {option} by {small:g} point at most",
                measure="test_error",
                cell=at("A"),
                than=at(option),
                margin=small,
                published=(f"25.03% and {in_paper(option):.2f}%: “projections are not essential”"),
            )
            for option in "BC"
        ),
    )


experiment = Experiment(
    question="Do shortcuts have to be projections?",
    source="He et al. 2015, section 4.1, Tables 2 and 3",
    published=(
        "ResNet-34 on ImageNet: all three options are considerably better than the plain network; "
        "B is slightly better than A, C marginally better than B; the small differences say that "
        "projections are not essential to the degradation problem."
    ),
    paper=Paper(
        source="He et al. 2015, arXiv 1512.03385, Tables 2 and 3",
        figures=in_paper,
        words="ImageNet, 34 layers, top-1 error of 10 crops, where ours is of one",
    ),
    setup=(
        "Networks of 32 layers, 300 steps of 32 digits. Ten seeds, of which five were run and "
        "looked at first, and left most claims open: the intervals take no account of that."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"model.name": "resnet32"},
    axes={"shortcut": OPTIONS},
    configure=lambda shortcut: {"model.shortcut": shortcut},
    seeds=tuple(range(10)),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    labels={"none": "none (plain)"},
    figures=(
        figures.Final(x="shortcut", says="Errors at the end of training, by shortcut."),
        figures.Curves(lines="shortcut", says="Training error against step, by shortcut."),
    ),
    claims=judged(margin=1.0, small=1.0),
    scales={
        "paper": {
            "base": "configs/imagenet.py",
            "settings": {"model.name": "resnet34", "model.dtype": "float32"},
            "seeds": (0,),
            "diverged": {"train_error": 99.9, "test_error": 99.9},
            "setup": (
                "configs/imagenet.py in float32; what it does not have of the paper's recipe, its "
                "first lines say. One run of each, as in the paper: no claim is decided by one."
            ),
            "claims": judged(margin=1.0, small=1.0),
        }
    },
)
