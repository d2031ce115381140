"""What training does to the gradients of deep networks, and what its first step does.

    resnet-jax run experiments/gradient_dynamics.py

Takes: a little over three minutes on two cores.
Finds: at a learning rate of 0.1 the first step takes 2.6 of 3 decades of the explosion away (95%
interval 2.1 to 3.1, 5 seeds), and after it the gradient vanishes, though not in every seed; at
0.001 the first step does little; the residual network is changed little by it at any rate.
"""

from resnet_jax.lab import Experiment, Records, claims, figures, gradients

LAST = 49
NETWORKS = ("plain20", "plain56", "resnet56")
RATES = (0.1, 0.01, 0.001)


def at(network: str, rate: float) -> dict[str, str | float]:
    """A cell of the grid."""
    return {"network": network, "rate": rate}


def change(metrics):
    """Decades that the ratio of first to last unit changes by in the first step."""
    return gradients.decades(1)(metrics) - gradients.decades(0)(metrics)


def findings(found: Records) -> list[str]:
    """The answer in words."""
    told = []
    for rate in RATES:
        change, later = (found.told(of, at("plain56", rate)) for of in ("change", "decades"))
        told.append(
            f"In plain-56 at a learning rate of {rate} the first step changes the ratio of the "
            f"first unit's gradient to the last unit's by {change}; after {LAST} steps the ratio "
            f"is {later}."
        )
    later = found.summary("decades", at("plain56", RATES[0]))
    if later.mean < -1:
        sure = "" if later.high < 0 else f" in the mean of {later.n} seeds, which differ much"
        told.append(
            "So either account of deep plain networks is half of the story. Before the first step "
            "their gradient explodes towards the input; at a large learning rate it vanishes there "
            f"after a few steps{sure}."
        )
    error = found.summary("train_error", at("resnet56", RATES[0])).mean
    if error > 20:
        told.append(
            f"That rate is too large for the residual network of 56 layers too: after {LAST + 1} "
            f"steps its training error is {error:.0f}%."
        )
    return told


experiment = Experiment(
    question="What does training do to the exploding gradients of a deep plain network?",
    source="Yang et al. 2019: after one step of training the explosion is gone",
    setup=(
        f"{LAST + 1} steps of 32 digits at a constant learning rate, measured inside the training "
        "step, dense at first and sparse later. The measures are decimal logarithms of the first "
        "unit's gradient norm over the last unit's."
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
    seeds=(0, 1, 2, 3, 4),
    measures=("decades", "change", "train_error"),
    derive={"decades": gradients.decades(LAST), "change": change},
    # A run that diverged has no ratio, and lessens the n of its cell.
    diverged={"decades": float("nan"), "change": float("nan"), "train_error": 90.0},
    labels={"rate": "learning rate"},
    figures=tuple(
        figures.HeatMap(
            name=f"rate_{rate}",
            panels="network",
            steps="log",
            where={"rate": rate},
            says=f"Norm of each unit's gradient through training at a learning rate of {rate}.",
        )
        for rate in RATES
    ),
    claims=(
        claims.Within(
            "At a rate of 0.1 the first step takes nine tenths of plain-56's explosion away",
            measure="change",
            cell=at("plain56", 0.1),
            high=-1.0,
            published="gone after one step (Yang et al. 2019)",
        ),
        claims.Within(
            f"At a rate of 0.1, after {LAST} steps, the first unit of plain-56 has less than a "
            "tenth of the last unit's gradient",
            measure="decades",
            cell=at("plain56", 0.1),
            high=-1.0,
        ),
        claims.Within(
            "At a learning rate of 0.001 the first step leaves it as it is, to a factor of two",
            measure="change",
            cell=at("plain56", 0.001),
            low=-0.3,
            high=0.3,
        ),
        claims.Within(
            "In ResNet-56 the first step at 0.1 changes the ratio by less than a factor of three",
            measure="change",
            cell=at("resnet56", 0.1),
            low=-0.5,
            high=0.5,
        ),
    ),
    findings=findings,
)
