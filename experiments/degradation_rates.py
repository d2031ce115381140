"""Is degradation a matter of the learning rate? Deep and shallow plain networks at four rates.

    resnet-jax run experiments/degradation_rates.py --workers 2

Takes: about five minutes on two cores.
"""

from resnet_jax.lab import Experiment, Records, Until, claims, figures

RATES = (0.1, 0.03, 0.01, 0.003)


def settings(depth: int, rate: float) -> dict[str, str | float]:
    """Settings of a cell."""
    return {"model.name": f"plain{depth}", "optimizer.learning_rate": rate}


def findings(records: Records) -> list[str]:
    """The best rate for the deep network, in words."""
    errors = {
        rate: records.summary("train_error", {"depth": 56, "rate": rate}).mean for rate in RATES
    }
    best = min(errors, key=lambda rate: errors[rate])
    return [
        f"The plain network of 56 layers trains best at a learning rate of {best}: a training "
        f"error of {records.told('train_error', {'depth': 56, 'rate': best})} after 300 steps, "
        f"against {records.told('train_error', {'depth': 20, 'rate': best})} at 20 layers."
    ]


def deep_is_worse(rate: float) -> claims.Greater:
    """The claim of degradation at one learning rate."""
    return claims.Greater(
        f"At a learning rate of {rate}, a plain network of 56 layers trains worse than one of 20",
        measure="train_error",
        cell={"depth": 56, "rate": rate},
        than={"depth": 20, "rate": rate},
        margin=1.0,
        published="yes, at the paper's one rate (He et al. 2015)",
    )


experiment = Experiment(
    question="Is there a learning rate at which a deep plain network trains?",
    source="He et al. 2015, section 4.1: vanishing gradients are unlikely to be the cause",
    setup=(
        "As the experiment `degradation`, at four learning rates. That experiment uses 0.01, "
        "chosen in a trial with one seed. “Worse” means by more than 1 point, as there."
    ),
    base="configs/digits.py",
    scale="digits",
    axes={"depth": (20, 56), "rate": RATES},
    configure=settings,
    seeds=Until(start=100),
    diverged={"train_error": 90.0, "test_error": 90.0},  # chance level of ten classes
    labels={"depth": "layers", "rate": "learning rate"},
    figures=(
        figures.Final(
            x="rate",
            lines="depth",
            says="Final error of plain networks by learning rate.",
        ),
    ),
    claims=tuple(map(deep_is_worse, RATES)),
    findings=findings,
)
