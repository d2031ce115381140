"""How training, and its first step above all, changes the gradients of deep networks.

    resnet-jax run experiments/gradient_dynamics.py --workers 2

Takes: about four minutes on two cores.
"""

import pandas as pd

from resnet_jax.lab import Experiment, Records, Until, claims, figures, gradients

LAST = 49
NETWORKS = ("plain20", "plain56", "resnet56")
RATES = (0.1, 0.01, 0.001)


def at(network: str, rate: float) -> dict[str, str | float]:
    """A cell of the grid."""
    return {"network": network, "rate": rate}


def change(metrics: pd.DataFrame) -> float:
    """Change of log10(first unit's norm / last unit's norm) in the first step, in decades."""
    return gradients.decades(1)(metrics) - gradients.decades(0)(metrics)


def findings(records: Records) -> list[str]:
    """The change of the gradient ratio, in words."""
    sentences = []
    for rate in RATES:
        change, later = (records.told(of, at("plain56", rate)) for of in ("change", "decades"))
        sentences.append(
            f"In plain-56, at a learning rate of {rate}, the first step changes the ratio of the "
            f"first to the last unit's gradient norm by {change}; after {LAST} steps the ratio is "
            f"{later}."
        )
    ratio = records.summary("decades", at("plain56", RATES[0]))
    if ratio.mean < -1:
        spread = "" if ratio.high < 0 else f" (on average; the {ratio.n} seeds vary widely)"
        sentences.append(
            "Both common accounts of deep plain networks are therefore half right: their gradient "
            "explodes towards the input before the first step, and at a large learning rate it "
            f"has vanished there after {LAST} steps{spread}."
        )
    error = records.summary("train_error", at("resnet56", RATES[0])).mean
    if error > 20:
        sentences.append(
            "That rate is too large for the residual network of 56 layers too, whose training "
            f"error is {error:.0f}% after {LAST + 1} steps."
        )
    return sentences


experiment = Experiment(
    question="How do the exploding gradients of a deep plain network change in training?",
    source="Yang et al. 2019: the explosion is gone after one training step",
    setup=(
        f"{LAST + 1} steps with batches of 32 digits at a constant learning rate; gradients are "
        "measured inside the training step, often at first and rarely later. The measure is "
        "log10(gradient norm of the first unit / gradient norm of the last unit), and "
        "claims are about its mean. It is about 3 in plain-56 before training (`gradient_norms`): "
        "1 decade is a third of the explosion, 0.3 and 0.5 are small against it."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={
        "train.steps": LAST + 1,
        "schedule.name": "constant",
        "schedule.warmup_steps": 0,
        "probe.steps": (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, LAST),
        "probe.sites": ("stage*/unit??",),
    },
    axes={"network": NETWORKS, "rate": RATES},
    configure=lambda network, rate: {"model.name": network, "optimizer.learning_rate": rate},
    seeds=Until(start=100),
    measures=("decades", "change", "train_error"),
    derive={"decades": gradients.decades(LAST), "change": change},
    # A run that diverged shows nothing of what is claimed: it counts as a ratio and a change of
    # ten, outside of every claimed range.
    diverged={"decades": 1.0, "change": 1.0, "train_error": 90.0},
    labels={"rate": "learning rate"},
    figures=tuple(
        figures.HeatMap(
            name=f"rate_{rate}",
            panels="network",
            steps="log",
            where={"rate": rate},
            says=f"Gradient norm of each unit during training at a learning rate of {rate}.",
        )
        for rate in RATES
    ),
    claims=(
        claims.Within(
            "At a rate of 0.1 the first step cuts the ratio of plain-56 to a tenth or less",
            measure="change",
            cell=at("plain56", 0.1),
            high=-1.0,
            published="gone after one step (Yang et al. 2019)",
        ),
        claims.Within(
            f"At a rate of 0.1, after {LAST} steps, the gradient of plain-56's first unit is at "
            "most a tenth of its last unit's",
            measure="decades",
            cell=at("plain56", 0.1),
            high=-1.0,
        ),
        claims.Within(
            "At a rate of 0.001 the first step changes the ratio of plain-56 by at most 0.3 "
            "decades (a factor of two)",
            measure="change",
            cell=at("plain56", 0.001),
            low=-0.3,
            high=0.3,
        ),
        claims.Within(
            "At a rate of 0.1 the first step changes the ratio of ResNet-56 by at most 0.5 "
            "decades (a factor of 3.2)",
            measure="change",
            cell=at("resnet56", 0.1),
            low=-0.5,
            high=0.5,
        ),
    ),
    findings=findings,
)
