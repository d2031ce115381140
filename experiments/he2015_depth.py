"""Plain and residual networks of growing depth. He et al. 2015, Table 6 and Fig. 6.

    resnet-jax run experiments/he2015_depth.py
    resnet-jax run experiments/he2015_depth.py --scale paper --dry-run

Takes: about six minutes on two cores.
Finds: after 200 steps, training errors of 1, 76 and 89% for plain networks of 20, 56 and 110
layers, and of less than 0.1% for all residual ones (3 seeds).
"""

from resnet_jax.lab import Experiment, Paper, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["he2015_cifar10"]
WARMED_UP = (110, 1202)  # depths that do not start to train at 0.1


def network(family: str, depth: int) -> dict[str, str] | None:
    """Twins: the same network but for the shortcut, which has no parameters (option A)."""
    return {"model.name": f"{family}{depth}"}


def on_cifar(family: str, depth: int) -> dict[str, str | float | int] | None:
    """The paper's runs: a plain network of 1202 layers is not among them."""
    if (family, depth) == ("plain", 1202):
        return None
    warmup = {
        "schedule.warmup": "constant",
        "schedule.warmup_factor": 0.1,
        "schedule.warmup_steps": 400,
    }
    return network(family, depth) | (warmup if depth in WARMED_UP else {})


def in_paper(family: str, depth: int) -> float | None:
    """Table 6; of plain networks the paper prints no table."""
    entry = TABLE.get(f"resnet{depth}", {})
    return entry.get("error_mean", entry.get("error")) if family == "resnet" else None


def at(family: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"family": family, "depth": depth}


def judged(margin: float) -> tuple[claims.Claim, ...]:
    """The paper's claims, with the difference in points of test error that matters at a scale."""
    return (
        claims.Greater(
            "A deeper plain network trains worse: 56 layers against 20",
            measure="train_error",
            cell=at("plain", 56),
            than=at("plain", 20),
            margin=1.0,
            published="yes (Fig. 6, left)",
        ),
        claims.Within(
            "The plain network of 110 layers fails, with an error above 60%",
            measure="train_error",
            cell=at("plain", 110),
            low=60.0,
            published="higher than 60%, not shown (section 4.2)",
        ),
        claims.NotGreater(
            "A residual network of 56 layers trains no worse than one of 20",
            measure="train_error",
            cell=at("resnet", 56),
            than=at("resnet", 20),
            margin=1.0,
            published="yes (Fig. 6, middle)",
        ),
        claims.NotGreater(
            "A residual network of 110 layers trains no worse than one of 20",
            measure="train_error",
            cell=at("resnet", 110),
            than=at("resnet", 20),
            margin=1.0,
            published="yes (Fig. 6, middle)",
        ),
        claims.Greater(
            f"A residual network of 56 layers tests better than one of 20, by {margin:g} or more",
            measure="test_error",
            cell=at("resnet", 20),
            than=at("resnet", 56),
            margin=margin,
            published="8.75% and 6.97% (Table 6)",
        ),
    )


experiment = Experiment(
    question="What do 20, 56 and 110 layers make of plain and of residual networks?",
    source="He et al. 2015, section 4.2, Table 6 and Fig. 6",
    published=(
        "On CIFAR-10 the training error of plain networks grows with depth, from 20 to 56 layers, "
        "and is above 60% at 110; that of residual networks falls. ResNet-1202 trains as well as "
        "ResNet-110 and tests worse."
    ),
    paper=Paper(
        source="He et al. 2015, arXiv 1512.03385, Table 6",
        figures=in_paper,
        words="CIFAR-10; ResNet-110 is the mean of 5 runs, the others are single ones",
    ),
    setup=(
        "200 steps of 32 digits at a rate of 0.01: the beginning of a training, in which networks "
        "of 20 layers fit the training images. ResNet-1202 is left out, and so are 32 and 44 "
        "layers, which experiments/degradation.py has. A test error says little here: 360 images."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"train.steps": 200},
    axes={"family": ("plain", "resnet"), "depth": (20, 56, 110)},
    configure=network,
    seeds=(0, 1, 2),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    labels={"resnet": "residual", "depth": "layers"},
    figures=(
        figures.Curves(
            measure="train_error",
            panels="family",
            lines="depth",
            says="Training error against step, plain networks at the left, residual at the right.",
        ),
        figures.Final(
            x="depth",
            lines="family",
            says="Errors at the end of training.",
        ),
    ),
    claims=judged(margin=0.5),
    scales={
        "paper": {
            "base": "configs/cifar10.py",
            "settings": {},
            "axes": {"family": ("plain", "resnet"), "depth": (20, 32, 44, 56, 110, 1202)},
            "configure": on_cifar,
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "The recipe of section 4.2: 64,000 steps of 128 images at 0.1, 0.01 and 0.001; "
                "networks of 110 layers and more begin with 400 steps at 0.01, where the paper "
                "waits for a training error below 80%; inputs and initial values as "
                "configs/cifar10.py has them. Five seeds of each, where the paper has "
                "five of ResNet-110 alone."
            ),
            "claims": judged(margin=1.0),
        }
    },
)
