"""Layer responses of plain and residual networks. He et al. 2015, Fig. 7.

    resnet-jax run experiments/he2015_responses.py --workers 2
    resnet-jax run experiments/he2015_responses.py --scale paper --dry-run

Takes: about five minutes on two cores.
"""

from collections.abc import Callable

import pandas as pd

from resnet_jax.lab import Experiment, Records, Until, answers, claims, figures
from resnet_jax.lab.figures.responses import NORMS
from resnet_jax.lab.formatting import number

STEPS, PAPER_STEPS = 300, 64_000
CELLS = [(family, depth) for family in ("plain", "resnet") for depth in (20, 56)]
MARGIN = 0.05
FAR = 1.2  # a fifth above the scale that norms start at


def at(family: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"family": family, "depth": depth}


def response_at(steps: int) -> Callable[[pd.DataFrame], float]:
    """Standard deviation of a norm's output at the last of `steps`, averaged over layers."""

    def response(metrics: pd.DataFrame) -> float:
        return answers.profile(metrics, steps - 1, "activation", "signal_std")["value"].mean()

    return response


def findings(records: Records) -> list[str]:
    """The mean response of each network, and how far single layers are from 1, in words."""
    return [
        f"{records.experiment.label(family)}, {depth} layers: mean response "
        f"{records.told('response', at(family, depth))}{of_layers(records, family, depth)}."
        for family, depth in CELLS
    ]


def of_layers(records: Records, family: str, depth: int) -> str:
    """The spread of the responses over the layers and runs of a network, in words."""
    runs = records.runs.query("family == @family and depth == @depth and status == 'done'")["run"]
    metrics = records.metrics[records.metrics["run"].isin(runs)]
    layers = answers.profile(metrics, STEPS - 1, "activation", "signal_std")
    if layers.empty:
        return ""
    largest = layers.sort_values("value").iloc[-1]
    return (
        f"; {(layers['value'] > FAR).mean():.0%} of the layers are above {FAR}, the largest "
        f"response is {number(largest['value'], 1)} ({largest['site']}), the median "
        f"{number(layers['value'].median(), 2)}"
    )


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
        "normalized by its statistics; the paper's figure shows networks after 64,000. Before "
        "training every response is 1, the scale that norms start at. The measure is the mean over "
        f"layers; its margin, {MARGIN}, is a twentieth of that scale."
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
    # The responses before training: a run that diverged shows no difference in either direction.
    diverged={"response": 1.0, "train_error": 90.0},
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
            "At 20 layers the mean response of the plain network is larger than that of the "
            f"residual network, by more than {MARGIN}",
            measure="response",
            cell=at("plain", 20),
            than=at("resnet", 20),
            margin=MARGIN,
            published="generally larger, on CIFAR-10 (He et al. 2015, Fig. 7)",
        ),
        claims.Greater(
            "At 56 layers the mean response of the plain network is larger than that of the "
            f"residual network, by more than {MARGIN}",
            measure="response",
            cell=at("plain", 56),
            than=at("resnet", 56),
            margin=MARGIN,
            published="generally larger, on CIFAR-10 (He et al. 2015, Fig. 7)",
        ),
        claims.Greater(
            "The mean response of ResNet-20 is larger than that of ResNet-56, by more than "
            f"{MARGIN}",
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
            "setup": (
                "The recipe of section 4.2; responses on the last batch of training. The margin of "
                f"the claims is {MARGIN}, about a twentieth of a response."
            ),
        }
    },
)
