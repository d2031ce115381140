"""Does pre-activation pay with depth? He et al. 2016, Tables 3 and 4.

    resnet-jax run experiments/he2016_depth.py
    resnet-jax run experiments/he2016_depth.py --scale paper --dry-run       # CIFAR-10
    resnet-jax run experiments/he2016_depth.py --scale cifar100 --dry-run

Takes: about ten minutes on two cores.
Finds: after 200 steps pre-activation is behind at every depth that was tried, by 0.7 to 1.8
points of training error: its gain with depth, here, is not to be seen (10 seeds).
"""

from dataclasses import replace

from resnet_jax.lab import Experiment, Paper, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["he2016_depth"]
FAMILIES = {"original": "resnet", "preactivation": "preact"}
CIFAR10 = {
    "110, one layer": "resnet110_one_layer_skip",
    "110": "resnet110",
    "164": "resnet164",
    "1001": "resnet1001",
}
"""The networks of Table 3 and their rows; Table 4's are the last two."""

STANDS_FOR = {"32, one layer": "110, one layer", "32": "110", "56": "1001"}
"""The networks on digits, and the paper's: those of one layer, and the least and greatest depth."""


def settings(layers: str, order: str) -> dict[str, str]:
    """Units of one layer are a suffix of the network's name."""
    depth, _, single = layers.partition(", ")
    return {"model.name": f"{FAMILIES[order]}{depth}{'-single' if single else ''}"}


def row(layers: str, data: str) -> tuple[float, float]:
    """The paper's errors of either order, in percent."""
    original, preactivation = TABLE[data][CIFAR10[STANDS_FOR.get(layers, layers)]]
    return original, preactivation


def paper(data: str, scale: str, words: str) -> Paper:
    """The figures of one data set."""
    return Paper(
        source=f"He et al. 2016, arXiv 1603.05027, Table {3 if data == 'cifar10' else 4}",
        figures=lambda layers, order: row(layers, data)[list(FAMILIES).index(order)],
        networks=lambda layers, order: f"ResNet-{STANDS_FOR.get(layers, layers)}",
        scale=scale,
        words=words,
    )


def at(layers: str, order: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"layers": layers, "order": order}


def judged(depths: tuple[str, ...], measure: str, data: str = "cifar10") -> list[claims.Claim]:
    """The paper's claim at each depth: pre-activation is no worse, and at the greatest better."""

    def printed(layers: str) -> str:
        original, preactivation = row(layers, data)
        network = STANDS_FOR.get(layers, layers)
        where = "" if network == layers else f" with ResNet-{network}"
        return f"{preactivation:.2f}% against {original:.2f}%{where}"

    original, preactivation = row("1001", data)
    found: list[claims.Claim] = [
        claims.NotGreater(
            f"At {layers.replace(', one layer', ' layers, of units of one layer,')}"
            f"{'' if ',' in layers else ' layers'} pre-activation is no worse",
            measure=measure,
            cell=at(layers, "preactivation"),
            than=at(layers, "original"),
            margin=0.5,
            published=printed(layers),
        )
        for layers in depths
    ]
    found.append(
        claims.Greater(
            f"At {depths[-1]} layers, the most, it is better by half a point or more",
            measure=measure,
            cell=at(depths[-1], "original"),
            than=at(depths[-1], "preactivation"),
            margin=0.5,
            published=f"the gain grows with depth: {original - preactivation:.2f} points at 1001 "
            "layers",
        )
    )
    return found


experiment = Experiment(
    question="Does pre-activation help, and deeper networks more?",
    source="He et al. 2016, sections 4.2 and 5, Tables 3 and 4",
    published=(
        "On CIFAR-10 and CIFAR-100 pre-activation is better at every depth, and by most at 1001 "
        "layers, where the original order starts slowly and ends worse than at 164."
    ),
    paper=paper("cifar10", "paper", "CIFAR-10, median of 5 runs"),
    setup=(
        "Networks of 32, 56 and, of units of one layer, 32 layers in place of 110 to 1001; 200 "
        "steps of 32 digits, and claims on the training error. Ten seeds, of which three were run "
        "and looked at first, and left all claims open: the intervals take no account of that."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"train.steps": 200},
    axes={"layers": ("32, one layer", "32", "56"), "order": tuple(FAMILIES)},
    configure=settings,
    seeds=tuple(range(10)),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    figures=(
        figures.Final(x="layers", lines="order", says="Errors at the end of training, by depth."),
        figures.Curves(
            panels="layers",
            lines="order",
            says="Training error against step, by depth and order.",
        ),
    ),
    claims=judged(("32, one layer", "32", "56"), "train_error"),
    scales={
        "paper": {
            "base": "configs/cifar10.py:warmup",
            "settings": {},
            "axes": {"layers": tuple(CIFAR10), "order": tuple(FAMILIES)},
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "The paper's: 400 steps at 0.01 and then 0.1, divided by 10 after 32,000 and "
                "48,000 of 64,000 steps of 128 images; inputs and "
                "initial values as configs/cifar10.py has them."
            ),
            "claims": judged(tuple(CIFAR10), "test_error"),
        },
        "cifar100": {
            "base": "configs/cifar100.py",
            "settings": {},
            "axes": {"layers": ("164", "1001"), "order": tuple(FAMILIES)},
            "seeds": (0, 1, 2, 3, 4),
            "diverged": {"train_error": 99.0, "test_error": 99.0},
            "paper": replace(
                paper("cifar100", "cifar100", "CIFAR-100, median of 5 runs"), fails_above=50.0
            ),
            "setup": "As on CIFAR-10; Table 4's networks.",
            "claims": judged(("164", "1001"), "test_error", "cifar100"),
        },
    },
)
