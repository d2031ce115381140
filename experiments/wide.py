"""Width against depth: wide residual networks. Zagoruyko and Komodakis 2016.

    resnet-jax run experiments/wide.py --workers 2
    resnet-jax run experiments/wide.py --scale paper --dry-run

Takes: about three minutes on two cores.
"""

from resnet_jax.lab import Experiment, Paper, Until, claims, figures
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
"""Where the recipe of section 3 differs from He et al. 2015."""


def settings(network: str) -> dict[str, str | float]:
    """The network named, with dropout in its branches for "... + dropout"."""
    name, _, dropout = network.partition(" + ")
    return {"model.name": name} | ({"model.dropout": DROPOUT} if dropout else {})


def paper_network(network: str) -> str:
    """The paper's network that a network on digits stands for."""
    return {"wrn40-1": "wrn40-4", "wrn16-2": "wrn16-8"}.get(network, network)


def in_paper(network: str) -> float | None:
    """CIFAR-10 error of Table 5, or of the authors' README for WRN-28-10."""
    name, _, dropout = paper_network(network).partition(" + ")
    entry = TABLE.get(name.replace("-", "_"), {})
    return entry["with_dropout"][0] if dropout and entry else entry.get("cifar10")


def at(network: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"network": network}


def wider_is_no_worse(wide: str, thin: str, margin: float) -> claims.Claim:
    """The paper's first claim: width can replace depth."""
    return claims.NotGreater(
        f"The shallow, wide {wide} tests no worse than the deep, thin {thin}",
        measure="test_error",
        cell=at(wide),
        than=at(thin),
        margin=margin,
        published="4.27% with WRN-16-8, 4.53% with WRN-40-4 (Table 5)",
    )


def dropout_helps(network: str, margin: float) -> claims.Claim:
    """The paper's second claim: dropout helps (its largest network)."""
    return claims.Greater(
        f"Dropout of {DROPOUT} between convolutions improves the test error of {network}",
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
        "On CIFAR, wide networks of 16 to 40 layers match thin networks of a thousand layers with "
        "as many parameters and train several times as fast. Dropout in the branches helps the "
        "largest network a little and harms WRN-16-4."
    ),
    paper=Paper(
        source="Zagoruyko and Komodakis 2016, Table 5; szagoruyko/wide-residual-networks README",
        figures=in_paper,
        networks=paper_network,
        words="CIFAR-10, median of 5 runs",
    ),
    setup=(
        "WRN-40-1 has 0.56 million parameters in 40 layers, WRN-16-2 0.69 million in 16 layers, "
        "WRN-16-1 0.17 million. 300 steps with batches of 32 digits. “No worse” means by at most "
        "half a point of the test error (2 of 360 images); of dropout any improvement counts."
    ),
    base="configs/digits.py",
    scale="digits",
    axes={"network": ("wrn16-1", "wrn40-1", "wrn16-2", "wrn16-2 + dropout")},
    configure=settings,
    seeds=Until(start=100),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    figures=(
        figures.Final(x="network", says="Final errors by network."),
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
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "The paper's recipe: 200 epochs with batches of 128, learning rate 0.1, "
                "multiplied by 0.2 after 60, 120 and 160 epochs, Nesterov's momentum, weight "
                "decay 5e-4, per-channel normalization; but crops are padded with zeros, not by "
                "reflection. WRN-40-4 has 8.9 million parameters, WRN-16-8 11.0 million. “No "
                "worse” means by at most 0.1 points of the test error (10 of 10,000 images); of "
                "dropout any improvement counts, since the paper's is 0.1 points."
            ),
            "claims": (
                wider_is_no_worse("wrn16-8", "wrn40-4", 0.1),
                dropout_helps("wrn28-10", 0.0),
            ),
        }
    },
)
