"""Is width as good as depth? Zagoruyko and Komodakis 2016.

resnet-jax run experiments/wide.py
resnet-jax run experiments/wide.py --scale paper --dry-run
"""

from resnet_jax.lab import Experiment, Paper, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["others_cifar"]["wrn28_10"]
DROPOUT = 0.3
WIDE = {
    "data.normalize": "channel",
    "optimizer.nesterov": True,
    "optimizer.weight_decay": 5e-4,
    "schedule.drop_steps": (),
    "schedule.drop_epochs": (60, 120, 160),
    "schedule.drop_factor": 0.2,
    "train.steps": 0,
    "train.epochs": 200.0,
}
"""The recipe of section 3, where it is not that of He et al. 2015."""


def settings(network: str) -> dict[str, str | float]:
    """A network by its name, with dropout in its branches if the name says so."""
    name, _, dropout = network.partition(" + ")
    return {"model.name": name} | ({"model.dropout": DROPOUT} if dropout else {})


def in_paper(network: str) -> float | None:
    """What the authors' README lists."""
    figures = {"wrn28-10": TABLE["cifar10"], "wrn28-10 + dropout": TABLE["with_dropout"][0]}
    return figures.get(network)


def at(network: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"network": network}


def judged(
    measure: str, thin: str, wide: str, dropout: str, margin: float
) -> tuple[claims.Claim, ...]:
    """The paper's claims: a shallower, wider network is no worse, and dropout helps it."""
    return (
        claims.NotWorse(
            f"The shallow and wide {wide} is no worse than the deep and thin {thin}",
            measure=measure,
            cell=at(wide),
            than=at(thin),
            margin=margin,
            published="better, at as many parameters (Table 4)",
        ),
        claims.Worse(
            f"Dropout of {DROPOUT} between convolutions makes {wide} better",
            measure="test_error",
            cell=at(wide),
            than=at(dropout),
            margin=margin,
            published="3.89% against 4.00%, WRN-28-10",
        ),
    )


experiment = Experiment(
    question="Is a wide and shallow residual network as good as a deep and thin one?",
    source="Zagoruyko and Komodakis 2016, arXiv 1605.07146",
    published=(
        "On CIFAR wide networks of 16 to 40 layers match thin ones of a thousand layers with as "
        "many parameters, and train several times as fast; dropout in the branches helps a little."
    ),
    paper=Paper(
        source=TABLE["source"],
        figures=in_paper,
        words="CIFAR-10, median of 5 runs",
    ),
    setup=(
        "WRN-40-1 has 0.56 million parameters in 40 layers, WRN-16-2 0.69 million in 16, WRN-16-1 "
        "0.17 million. 300 steps of 32 digits."
    ),
    base="configs/digits.py",
    axes={"network": ("wrn16-1", "wrn40-1", "wrn16-2", "wrn16-2 + dropout")},
    configure=settings,
    seeds=(0, 1, 2, 3, 4),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    figures=(
        figures.Final(x="network", says="Errors at the end of training, by network."),
        figures.Curves(lines="network", says="Training error against step, by network."),
    ),
    claims=judged("test_error", "wrn40-1", "wrn16-2", "wrn16-2 + dropout", margin=0.5),
    scales={
        "paper": {
            "base": "configs/cifar10.py",
            "settings": WIDE,
            "axes": {
                "network": ("wrn40-4", "wrn16-8", "wrn28-10", "wrn28-10 + dropout"),
            },
            "setup": (
                "The paper's recipe: 200 epochs of batches of 128 at 0.1, times 0.2 after 60, 120 "
                "and 160 of them, Nesterov's momentum, weight decay 5e-4, channels normalised. "
                "WRN-40-4 has 8.9 million parameters, WRN-16-8 11.0."
            ),
            "claims": (
                *judged("test_error", "wrn40-4", "wrn16-8", "wrn28-10 + dropout", margin=0.1)[:1],
                *judged("test_error", "wrn40-4", "wrn28-10", "wrn28-10 + dropout", margin=0.0)[1:],
            ),
        }
    },
)
