"""Is degradation a matter of the learning rate? The deep twins at four of them.

    resnet-jax run experiments/degradation_rates.py

Takes: not yet measured at this size.
Finds: not yet run whole by us.
"""

from resnet_jax.lab import Experiment, claims, figures

RATES = (0.1, 0.03, 0.01, 0.003)


def settings(family: str, depth: int, rate: float) -> dict[str, str | float]:
    """The run of a cell."""
    return {"model.name": f"{family}{depth}", "optimizer.learning_rate": rate}


def deep_is_worse(rate: float) -> claims.Worse:
    """The claim of degradation at one learning rate."""
    return claims.Worse(
        f"At a learning rate of {rate}, a plain network of 56 layers trains worse than one of 20",
        measure="train_error",
        cell={"family": "plain", "depth": 56, "rate": rate},
        than={"family": "plain", "depth": 20, "rate": rate},
        margin=1.0,
    )


experiment = Experiment(
    question="Does another learning rate train a deep plain network?",
    source="He et al. 2015, section 4.1: the difficulty is unlikely to be vanishing gradients",
    setup=(
        "As the experiment `degradation`, at four learning rates. The rate that is kindest to the "
        "deep plain network is the one that experiment uses for all."
    ),
    base="configs/digits.py",
    axes={"family": ("plain", "resnet"), "depth": (20, 56), "rate": RATES},
    configure=settings,
    seeds=(0, 1, 2),
    diverged={"train_error": 90.0, "test_error": 90.0},  # that of a guess among ten classes
    labels={"resnet": "residual", "depth": "layers", "rate": "learning rate"},
    figures=(
        figures.Final(
            name="plain",
            x="rate",
            lines="depth",
            where={"family": "plain"},
            says="Plain networks at four learning rates.",
        ),
        figures.Final(
            name="residual",
            x="rate",
            lines="depth",
            where={"family": "resnet"},
            says="Residual networks at four learning rates.",
        ),
    ),
    claims=tuple(map(deep_is_worse, RATES)),
)
