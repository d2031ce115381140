"""Plain and residual networks of increasing depth. He et al. 2015, Table 6 and Fig. 6.

    resnet-jax run experiments/he2015_depth.py --workers 2
    resnet-jax run experiments/he2015_depth.py --scale paper --dry-run

Takes: about ten minutes on two cores.
"""

from typing import Any

from resnet_jax.lab import Experiment, Paper, Until, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["he2015_cifar10"]
WARMED_UP = (110, 1202)  # depths that do not start training at a learning rate of 0.1


def network(family: str, depth: int) -> dict[str, Any]:
    """Twins: they differ in the shortcut alone, which has no parameters (option A)."""
    return {"model.name": f"{family}{depth}"}


def on_cifar(family: str, depth: int) -> dict[str, Any] | None:
    """The runs of the paper, which has no plain network of 1202 layers."""
    if (family, depth) == ("plain", 1202):
        return None
    warmup = {
        "schedule.warmup": "constant",
        "schedule.warmup_factor": 0.1,
        "schedule.warmup_steps": 400,
    }
    return network(family, depth) | (warmup if depth in WARMED_UP else {})


def in_paper(family: str, depth: int) -> float | None:
    """Test error of Table 6; the paper prints none for plain networks."""
    entry = TABLE.get(f"resnet{depth}", {})
    return entry.get("error_mean", entry.get("error")) if family == "resnet" else None


def at(family: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"family": family, "depth": depth}


def paper_claims(margin: float) -> tuple[claims.Claim, ...]:
    """The paper's claims; `margin` is the relevant difference in test error, in points."""
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
            "The plain network of 110 layers fails, with a training error of 60% or more",
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
            f"A residual network of 56 layers tests better than one of 20, by more than {margin:g} "
            f"{'point' if margin == 1 else 'points'}",
            measure="test_error",
            cell=at("resnet", 20),
            than=at("resnet", 56),
            margin=margin,
            published="8.75% and 6.97% (Table 6)",
        ),
    )


experiment = Experiment(
    question="How do the errors of plain and residual networks change with depth?",
    source="He et al. 2015, section 4.2, Table 6 and Fig. 6",
    published=(
        "On CIFAR-10 the training error of plain networks grows from 20 to 56 layers and is above "
        "60% at 110; that of residual networks falls. ResNet-1202 trains as well as ResNet-110 "
        "but has a higher test error."
    ),
    paper=Paper(
        source="He et al. 2015, arXiv 1512.03385, Table 6",
        figures=in_paper,
        words="CIFAR-10; mean of 5 runs for ResNet-110, single runs otherwise",
    ),
    setup=(
        "200 steps with batches of 32 digits at a learning rate of 0.01: short training, enough "
        "for networks of 20 layers to fit the training set. ResNet-1202 and 32 and 44 layers are "
        "left out (experiments/degradation.py has 32). “Worse” means by more than 1 point of the "
        "training error (14 of 1,437 images). Half a point of the test error is 2 of 360 images, "
        "and under a third of the paper's difference."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"train.steps": 200},
    axes={"family": ("plain", "resnet"), "depth": (20, 56, 110)},
    configure=network,
    seeds=Until(start=100),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    labels={"resnet": "residual", "depth": "layers"},
    figures=(
        figures.Curves(
            measure="train_error",
            panels="family",
            lines="depth",
            says="Training error against step, plain and residual networks.",
        ),
        figures.Final(
            x="depth",
            lines="family",
            says="Final errors by depth.",
        ),
    ),
    claims=paper_claims(margin=0.5),
    scales={
        "paper": {
            "base": "configs/cifar10.py",
            "settings": {},
            "axes": {"family": ("plain", "resnet"), "depth": (20, 32, 44, 56, 110, 1202)},
            "configure": on_cifar,
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "The recipe of section 4.2: 64,000 steps with batches of 128 at learning rates of "
                "0.1, 0.01 and 0.001. Networks of 110 layers and more warm up for 400 steps at "
                "0.01 (in the paper: until the training error is below 80%). Inputs and "
                "initialization are those of configs/cifar10.py. Five seeds of each network, "
                "where the paper has five of ResNet-110 alone. The margins are 1 point; the "
                "paper's difference between ResNet-56 and ResNet-20 is 1.8 points of the test "
                "error."
            ),
            "claims": paper_claims(margin=1.0),
        }
    },
)
