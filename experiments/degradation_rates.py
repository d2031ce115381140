"""Is degradation a matter of the learning rate? The deep twins at four of them.

    resnet-jax run experiments/degradation_rates.py

Takes: about three and a half minutes on two cores.
Finds: at every one of four learning rates the plain network of 56 layers trains worse than the one
of 20, by 54 to 83 percentage points (3 seeds); none of the rates is clearly the best for it.
"""

from resnet_jax.lab import Experiment, Records, claims, figures

RATES = (0.1, 0.03, 0.01, 0.003)


def settings(depth: int, rate: float) -> dict[str, str | float]:
    """The run of a cell."""
    return {"model.name": f"plain{depth}", "optimizer.learning_rate": rate}


def findings(found: Records) -> list[str]:
    """The answer in words."""
    errors = {
        rate: found.summary("train_error", {"depth": 56, "rate": rate}).mean for rate in RATES
    }
    kindest = min(errors, key=lambda rate: errors[rate])
    return [
        f"Of the four rates, {kindest} trains the plain network of 56 layers best: a training "
        f"error of {found.told('train_error', {'depth': 56, 'rate': kindest})} after 300 steps, "
        f"against {found.told('train_error', {'depth': 20, 'rate': kindest})} at 20 layers."
    ]


def deep_is_worse(rate: float) -> claims.Greater:
    """The claim of degradation at one learning rate."""
    return claims.Greater(
        f"At a learning rate of {rate}, a plain network of 56 layers trains worse than one of 20",
        measure="train_error",
        cell={"depth": 56, "rate": rate},
        than={"depth": 20, "rate": rate},
        margin=1.0,
        published="yes, at the one rate used (He et al. 2015)",
    )


experiment = Experiment(
    question="Does another learning rate train a deep plain network?",
    source="He et al. 2015, section 4.1: the difficulty is unlikely to be vanishing gradients",
    setup=(
        "As the experiment `degradation`, at four learning rates. That experiment uses 0.01 for "
        "all, chosen in a trial of one seed."
    ),
    base="configs/digits.py",
    scale="digits",
    axes={"depth": (20, 56), "rate": RATES},
    configure=settings,
    seeds=(0, 1, 2),
    diverged={"train_error": 90.0, "test_error": 90.0},  # that of a guess among ten classes
    labels={"depth": "layers", "rate": "learning rate"},
    figures=(
        figures.Final(
            x="rate",
            lines="depth",
            says="Error of plain networks at the end of training, at four learning rates.",
        ),
    ),
    claims=tuple(map(deep_is_worse, RATES)),
    findings=findings,
)
