"""Is width as good as depth? Zagoruyko and Komodakis 2016.

    resnet-jax run experiments/wide.py
    resnet-jax run experiments/wide.py --scale paper --dry-run

Takes: about four minutes on two cores.
Finds: WRN-16-2 is no worse than WRN-40-1 (test errors of 1.4 and 2.1%), though no faster here;
dropout in its branches makes it worse, 2.9% (5 seeds).
"""

from resnet_jax.lab import Experiment, Paper, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["others_cifar"]
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


STANDS_FOR = {"wrn40-1": "wrn40-4", "wrn16-2": "wrn16-8"}


def in_paper(network: str) -> float | None:
    """Table 5, and for WRN-28-10 what the authors' README lists."""
    name, _, dropout = STANDS_FOR.get(network, network).partition(" + ")
    entry = TABLE.get(name.replace("-", "_"), {})
    return entry["with_dropout"][0] if dropout and entry else entry.get("cifar10")


def at(network: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"network": network}


def wider_is_no_worse(wide: str, thin: str, margin: float) -> claims.Claim:
    """The paper's first claim."""
    return claims.NotGreater(
        f"The shallow and wide {wide} is no worse than the deep and thin {thin}",
        measure="test_error",
        cell=at(wide),
        than=at(thin),
        margin=margin,
        published="4.27% with WRN-16-8, 4.53% with WRN-40-4 (Table 5)",
    )


def dropout_helps(network: str, margin: float) -> claims.Claim:
    """The paper's second claim, which it has of its largest network."""
    return claims.Greater(
        f"Dropout of {DROPOUT} between convolutions makes {network} better",
        measure="test_error",
        cell=at(network),
        than=at(f"{network} + dropout"),
        margin=margin,
        published="4.00% to 3.89% with WRN-28-10, but 5.02% to 5.24% with WRN-16-4 (Table 6)",
    )


experiment = Experiment(
    question="Is a wide and shallow residual network as good as a deep and thin one?",
    source="Zagoruyko and Komodakis 2016, arXiv 1605.07146",
    published=(
        "On CIFAR wide networks of 16 to 40 layers match thin ones of a thousand layers with as "
        "many parameters, and train several times as fast; dropout in the branches helps the "
        "largest a little, and harms WRN-16-4."
    ),
    paper=Paper(
        source="Zagoruyko and Komodakis 2016, Table 5; szagoruyko/wide-residual-networks README",
        figures=in_paper,
        networks=lambda network: STANDS_FOR.get(network, network),
        words="CIFAR-10, median of 5 runs",
    ),
    setup=(
        "WRN-40-1 has 0.56 million parameters in 40 layers, WRN-16-2 0.69 million in 16, WRN-16-1 "
        "0.17 million. 300 steps of 32 digits."
    ),
    base="configs/digits.py",
    scale="digits",
    axes={"network": ("wrn16-1", "wrn40-1", "wrn16-2", "wrn16-2 + dropout")},
    configure=settings,
    seeds=(0, 1, 2, 3, 4),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    figures=(
        figures.Final(x="network", says="Errors at the end of training, by network."),
        figures.Curves(lines="network", says="Training error against step, by network."),
    ),
    claims=(wider_is_no_worse("wrn16-2", "wrn40-1", 0.5), dropout_helps("wrn16-2", 0.0)),
    scales={
        "paper": {
            "base": "configs/cifar10.py",
            "settings": WIDE,
            "axes": {
                "network": ("wrn40-4", "wrn16-8", "wrn28-10", "wrn28-10 + dropout"),
            },
            "setup": (
                "The paper's recipe: 200 epochs of batches of 128 at 0.1, times 0.2 after 60, 120 "
                "and 160 of them, Nesterov's momentum, weight decay 5e-4, channels normalised; "
                "but crops come from images padded with zeros, and not by reflection. "
                "WRN-40-4 has 8.9 million parameters, WRN-16-8 11.0."
            ),
            "claims": (
                wider_is_no_worse("wrn16-8", "wrn40-4", 0.1),
                dropout_helps("wrn28-10", 0.0),
            ),
        }
    },
)
