"""Stochastic depth: dropping branches at random in training. Huang et al. 2016.

    resnet-jax run experiments/stochastic_depth.py --workers 2
    resnet-jax run experiments/stochastic_depth.py --scale paper --dry-run

Takes: about four minutes on two cores.
"""

from typing import Any

import pandas as pd

from resnet_jax.lab import Experiment, Paper, Until, claims, figures
from resnet_jax.models import published

TABLE = published.tables()["others_cifar"]
KINDS: dict[str, dict[str, Any]] = {
    "constant depth": {"model.survival": 1.0},
    "linear, 0.5": {"model.survival": 0.5},
    "linear, 0.8": {"model.survival": 0.8},
    "uniform, 0.8": {"model.survival": 0.8, "model.survival_rule": "uniform"},
}
"""Survival probability of the last branch, and its rule along depth."""

PAPERS = ("constant depth", "linear, 0.5")
STANDS_FOR = {32: 110}
HUANG = {
    "data.train_split": "train[:45000]",
    "optimizer.nesterov": True,
    "schedule.drop_steps": (),
    "schedule.drop_epochs": (250, 375),
    "train.steps": 0,
    "train.epochs": 500.0,
}
"""Where the recipe of section 4 differs from He et al. 2015."""

LONGEST = {
    "schedule.drop_epochs": (150, 225),
    "schedule.warmup": "constant",
    "schedule.warmup_factor": 0.1,
    "schedule.warmup_epochs": 10.0,
    "train.epochs": 300.0,
}
"""Where the recipe differs for the network of 1202 layers."""


def on_cifar(kind: str, depth: int) -> dict[str, Any]:
    """Settings of the paper's runs."""
    return {"model.name": f"resnet{depth}"} | KINDS[kind] | (LONGEST if depth == 1202 else {})


def last_errors(metrics: pd.DataFrame) -> float:
    """Training error in train mode, with branches dropped, averaged over the last 50 steps."""
    training = metrics[metrics["kind"] == "train"]
    return training[training["step"] > training["step"].max() - 50]["error"].mean()


def in_paper(kind: str, depth: int) -> float | None:
    """CIFAR-10 error of Table 1, or of Figs. 4 and 5 for 1202 layers; 32 layers stand for 110."""
    pair = TABLE[f"stochastic_depth_{STANDS_FOR.get(depth, depth)}"]["cifar10"]
    return pair[PAPERS.index(kind)] if kind in PAPERS else None


def at(kind: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"kind": kind, "depth": depth}


experiment = Experiment(
    question="Does dropping branches at random in training improve residual networks?",
    source="Huang et al. 2016, arXiv 1603.09382",
    published=(
        "On CIFAR-10 stochastic depth with linear decay to 0.5 reduces the error of ResNet-110 "
        "from 6.41% to 5.25%, and that of ResNet-1202, which overfits, from 6.67% to 4.91%. Linear "
        "decay is better than a uniform probability, and robust (Fig. 8)."
    ),
    paper=Paper(
        source=TABLE["stochastic_depth_110"]["source"],
        figures=in_paper,
        networks=lambda kind, depth: f"ResNet-{STANDS_FOR.get(depth, depth)}",
        words="CIFAR-10, 500 epochs, single runs",
    ),
    setup=(
        "ResNet-32, 300 steps with batches of 32 digits: seven epochs, where the paper has 500. "
        "Regularization has little effect in so short a training. The claims have no margin: any "
        "difference counts."
    ),
    base="configs/digits.py",
    scale="digits",
    axes={"kind": tuple(KINDS), "depth": (32,)},
    configure=lambda kind, depth: {"model.name": f"resnet{depth}"} | KINDS[kind],
    seeds=Until(start=100),
    measures=("train_error", "test_error", "batch_error"),
    derive={"batch_error": last_errors},
    diverged={"train_error": 90.0, "test_error": 90.0, "batch_error": 90.0},
    labels={"depth": "layers"},
    figures=(
        figures.Final(x="kind", where={"depth": 32}, says="Final errors by survival rule."),
        figures.Curves(
            lines="kind", where={"depth": 32}, says="Training error against step, by survival rule."
        ),
    ),
    claims=(
        claims.Greater(
            "ResNet-32 tests worse without stochastic depth than with linear decay to 0.5",
            measure="test_error",
            cell=at("constant depth", 32),
            than=at("linear, 0.5", 32),
            published="6.41% and 5.25%, ResNet-110 on CIFAR-10",
        ),
        claims.Greater(
            "On training batches, with branches dropped, linear decay to 0.5 has a larger error "
            "than constant depth (last 50 steps)",
            measure="batch_error",
            cell=at("linear, 0.5", 32),
            than=at("constant depth", 32),
            published="yes, a larger training loss",
        ),
    ),
    scales={
        "paper": {
            "base": "configs/cifar10.py",
            "settings": HUANG,
            "axes": {"kind": PAPERS, "depth": (110, 1202)},
            "configure": on_cifar,
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "The paper's recipe: 45,000 training images, 500 epochs with batches of 128, "
                "learning rate 0.1, divided by 10 after 250 and 375 epochs, Nesterov's momentum; "
                "for 1202 layers 300 epochs, the first 10 at 0.01, with drops after 150 and 225. "
                "Five runs, where the paper has one; the last epoch is used, not the best on "
                "validation images. “Worse” means by more than half a point of the test error, "
                "less than half of the paper's differences. Inputs and initialization are those "
                "of configs/cifar10.py."
            ),
            "figures": (
                figures.Final(x="kind", lines="depth", says="Final errors."),
                figures.Curves(
                    measure="test_error", panels="depth", lines="kind", says="Test error by step."
                ),
            ),
            "claims": tuple(
                claims.Greater(
                    f"ResNet-{depth} tests worse without stochastic depth than with linear "
                    "decay to 0.5",
                    measure="test_error",
                    cell=at("constant depth", depth),
                    than=at("linear, 0.5", depth),
                    margin=0.5,
                    published=f"{in_paper('constant depth', depth):.2f}% and "
                    f"{in_paper('linear, 0.5', depth):.2f}%",
                )
                for depth in (110, 1202)
            ),
        }
    },
)
