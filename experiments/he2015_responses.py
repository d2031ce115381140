"""Layer responses of plain and residual networks. He et al. 2015, Fig. 7.

    resnet-jax run experiments/he2015_responses.py
    resnet-jax run experiments/he2015_responses.py --scale paper --dry-run

Takes: about two and a half minutes on two cores.
"""

from collections.abc import Callable

import pandas as pd

from resnet_jax.lab import Experiment, Records, Until, answers, claims, figures
from resnet_jax.lab.figures.responses import NORMS

STEPS, PAPER_STEPS = 300, 64_000
CELLS = [(family, depth) for family in ("plain", "resnet") for depth in (20, 56)]
MARGIN = 0.05  # responses are about 1; smaller differences do not matter


def at(family: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"family": family, "depth": depth}


def response_at(steps: int) -> Callable[[pd.DataFrame], float]:
    """Standard deviation of a norm's output at the last of `steps`, averaged over layers."""

    def response(metrics: pd.DataFrame) -> float:
        return answers.profile(metrics, steps - 1, "activation", "signal_std")["value"].mean()

    return response


def findings(records: Records) -> list[str]:
    """The mean response of each network, in words."""
    sentences = [
        f"{records.experiment.label(family)}, {depth} layers: {records.told('response', cell)}."
        for family, depth in CELLS
        for cell in (at(family, depth),)
    ]
    means = [records.summary("response", at("resnet", depth)).mean for depth in (20, 56)]
    if all(abs(mean - 1) < MARGIN for mean in means):
        sentences.append(
            f"The scales of the norms start at 1 and have hardly moved in the residual networks "
            f"after {STEPS} steps. So this says little about the paper's figure, which shows "
            "networks after 64,000 steps."
        )
    return sentences


experiment = Experiment(
    question="Do residual networks have smaller responses, and deeper ones smaller still?",
    source="He et al. 2015, section 4.2 and Fig. 7",
    published=(
        "On CIFAR-10 the standard deviations of layer responses (after the norm, before ReLU and "
        "addition) are generally smaller in ResNets than in plain networks, and smaller in "
        "ResNet-56 and ResNet-110 than in ResNet-20."
    ),
    setup=(
        f"After {STEPS} steps on digits at the paper's learning rate of 0.1, on the last batch, "
        "normalized by its statistics."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={
        "probe.steps": (STEPS - 1,),
        "probe.sites": NORMS,
        "train.steps": STEPS,
        "optimizer.learning_rate": 0.1,
    },
    axes={"family": ("plain", "resnet"), "depth": (20, 56)},
    configure=lambda family, depth: {"model.name": f"{family}{depth}"},
    seeds=Until(start=100),
    measures=("response", "train_error"),
    derive={"response": response_at(STEPS)},
    diverged={"response": float("nan"), "train_error": 90.0},
    labels={"resnet": "residual", "depth": "layers"},
    figures=(
        figures.Responses(
            lines="depth",
            families="family",
            says="Standard deviation of each layer's response after training.",
        ),
    ),
    claims=(
        claims.Greater(
            "At 20 layers the responses of the plain network are larger than those of the residual "
            f"network, by {MARGIN} or more",
            measure="response",
            cell=at("plain", 20),
            than=at("resnet", 20),
            margin=MARGIN,
            published="generally larger, on CIFAR-10 (He et al. 2015, Fig. 7)",
        ),
        claims.Greater(
            "At 56 layers the responses of the plain network are larger than those of the residual "
            f"network, by {MARGIN} or more",
            measure="response",
            cell=at("plain", 56),
            than=at("resnet", 56),
            margin=MARGIN,
            published="generally larger, on CIFAR-10 (He et al. 2015, Fig. 7)",
        ),
        claims.Greater(
            f"The responses of ResNet-20 are larger than those of ResNet-56, by {MARGIN} or more",
            measure="response",
            cell=at("resnet", 20),
            than=at("resnet", 56),
            margin=MARGIN,
            published="larger, on CIFAR-10 (He et al. 2015, Fig. 7)",
        ),
    ),
    findings=findings,
    scales={
        "paper": {
            "base": "configs/cifar10.py",
            "settings": {"probe.steps": (PAPER_STEPS - 1,), "probe.sites": NORMS},
            "derive": {"response": response_at(PAPER_STEPS)},
            "seeds": (0, 1, 2, 3, 4),
            "findings": None,
            "setup": "The recipe of section 4.2; responses on the last batch of training.",
        }
    },
)
