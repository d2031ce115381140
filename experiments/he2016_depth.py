"""Pre-activation at increasing depth. He et al. 2016, Tables 3 and 4.

    resnet-jax run experiments/he2016_depth.py --workers 2
    resnet-jax run experiments/he2016_depth.py --scale paper --dry-run       # CIFAR-10
    resnet-jax run experiments/he2016_depth.py --scale cifar100 --dry-run

Takes: about nine minutes on two cores.
"""

from dataclasses import replace

from resnet_jax.lab import Experiment, Paper, Until, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["he2016_depth"]
FAMILIES = {"original": "resnet", "preactivation": "preact"}
CIFAR10 = {
    "110, one layer": "resnet110_one_layer_skip",
    "110": "resnet110",
    "164": "resnet164",
    "1001": "resnet1001",
}
"""Networks of Table 3 -> rows of the table. Table 4 has the last two."""

STANDS_FOR = {"32, one layer": "110, one layer", "32": "110", "56": "1001"}
"""Networks on digits -> the paper's: one layer to a branch, and the smallest and largest depth."""


def settings(layers: str, order: str) -> dict[str, str]:
    """The network of a cell; "-single" in its name means branches of one layer."""
    depth, _, single = layers.partition(", ")
    return {"model.name": f"{FAMILIES[order]}{depth}{'-single' if single else ''}"}


def row(layers: str, data: str) -> tuple[float, float]:
    """The paper's errors of the original order and of pre-activation, in percent."""
    original, preactivation = TABLE[data][CIFAR10[STANDS_FOR.get(layers, layers)]]
    return original, preactivation


def paper(data: str, scale: str, words: str) -> Paper:
    """The paper's errors on one data set."""
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


def paper_claims(
    depths: tuple[str, ...], measure: str, data: str = "cifar10"
) -> list[claims.Claim]:
    """The paper's claims: pre-activation is no worse at any depth, and better at the largest."""
    does = {"train_error": "trains", "test_error": "tests"}[measure]

    def errors(layers: str) -> str:
        original, preactivation = row(layers, data)
        network = STANDS_FOR.get(layers, layers)
        where = "" if network == layers else f" with ResNet-{network}"
        return f"{preactivation:.2f}% against {original:.2f}%{where}"

    original, preactivation = row("1001", data)
    found: list[claims.Claim] = [
        claims.NotGreater(
            f"At {layers.replace(', one layer', ' layers (one layer to a branch)')}"
            f"{'' if ',' in layers else ' layers'} pre-activation {does} no worse",
            measure=measure,
            cell=at(layers, "preactivation"),
            than=at(layers, "original"),
            margin=0.5,
            published=errors(layers),
        )
        for layers in depths
    ]
    found.append(
        claims.Greater(
            f"At {depths[-1]} layers, the largest depth, it {does} better by more than half a "
            "point",
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
    question="Does pre-activation help, and deeper networks more than shallow ones?",
    source="He et al. 2016, sections 4.2 and 5, Tables 3 and 4",
    published=(
        "On CIFAR-10 and CIFAR-100 pre-activation is better at every depth, and most of all at "
        "1001 layers, where the original order starts slowly and ends worse than at 164 layers."
    ),
    paper=paper("cifar10", "paper", "CIFAR-10, median of 5 runs"),
    setup=(
        "Networks of 32 layers (two layers or one to a branch) and of 56 layers in place of 110 "
        "to 1001 layers; 200 steps with batches of 32 digits; claims are about the training "
        "error, with a margin of half a point (7 of 1,437 images), a fifth of the paper's gain at "
        "1001 layers."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"train.steps": 200},
    axes={"layers": ("32, one layer", "32", "56"), "order": tuple(FAMILIES)},
    configure=settings,
    seeds=Until(start=100),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    figures=(
        figures.Final(x="layers", lines="order", says="Final errors by depth and order."),
        figures.Curves(
            panels="layers",
            lines="order",
            says="Training error against step, by depth and order.",
        ),
    ),
    claims=paper_claims(("32, one layer", "32", "56"), "train_error"),
    scales={
        "paper": {
            "base": "configs/cifar10.py:warmup",
            "settings": {},
            "axes": {"layers": tuple(CIFAR10), "order": tuple(FAMILIES)},
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "The paper's recipe: 64,000 steps with batches of 128, 400 of them at a learning "
                "rate of 0.01, then 0.1, divided by 10 after 32,000 and 48,000 steps. Inputs and "
                "initialization are those of configs/cifar10.py. The margin is half a point of the "
                "test error; the paper's gain at 1001 layers is 2.7 points."
            ),
            "claims": paper_claims(tuple(CIFAR10), "test_error"),
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
            "setup": "As on CIFAR-10, with the networks of Table 4.",
            "claims": paper_claims(("164", "1001"), "test_error", "cifar100"),
        },
    },
)
