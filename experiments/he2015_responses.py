"""Are the responses of residual networks smaller? He et al. 2015, Fig. 7.

    resnet-jax run experiments/he2015_responses.py
    resnet-jax run experiments/he2015_responses.py --scale paper --dry-run

Takes: about two and a half minutes on two cores.
Finds: all but the first layers of plain-56 have responses of about 1, where the norms' scales
start: 300 steps say little of the paper's figure (3 seeds).
"""

from resnet_jax.lab import Experiment, Records, claims, figures, gradients
from resnet_jax.lab.figures.responses import NORMS

STEPS, PAPER_STEPS = 300, 64_000
CELLS = [(family, depth) for family in ("plain", "resnet") for depth in (20, 56)]
MARGIN = 0.05  # of responses that are about 1: less is of no interest


def at(family: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"family": family, "depth": depth}


def response_at(steps: int):
    """The mean over layers of the standard deviation of a norm's output, at the last step."""

    def response(metrics):
        return gradients.profile(metrics, steps - 1, "activation", "signal_std")["value"].mean()

    return response


def findings(found: Records) -> list[str]:
    """The answer in words."""
    told = [
        f"{found.experiment.label(family)}, {depth} layers: {found.told('response', cell)}."
        for family, depth in CELLS
        for cell in (at(family, depth),)
    ]
    means = [found.summary("response", at("resnet", depth)).mean for depth in (20, 56)]
    if all(abs(mean - 1) < MARGIN for mean in means):
        told.append(
            f"The scales of the norms start at 1, and in {STEPS} steps those of the residual "
            "networks have hardly left it. So this says little of the paper's figure, which is of "
            "64,000 steps."
        )
    return told


experiment = Experiment(
    question="Do residual networks have smaller responses, and deeper ones smaller still?",
    source="He et al. 2015, section 4.2 and Fig. 7",
    published=(
        "On CIFAR-10 the standard deviations of layer responses (after the norm, before ReLU and "
        "addition) are generally smaller in ResNets than in plain networks, and smaller in "
        "ResNet-56 and ResNet-110 than in ResNet-20."
    ),
    setup=(
        f"After {STEPS} steps on digits at the paper's learning rate of 0.1, at the last batch, "
        "with the batch's statistics."
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
    seeds=(0, 1, 2),
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
            "At 20 layers the responses of the plain network are larger than the residual one's, "
            f"by {MARGIN} or more",
            measure="response",
            cell=at("plain", 20),
            than=at("resnet", 20),
            margin=MARGIN,
            published="generally larger, on CIFAR-10 (He et al. 2015, Fig. 7)",
        ),
        claims.Greater(
            "At 56 layers the responses of the plain network are larger than the residual one's, "
            f"by {MARGIN} or more",
            measure="response",
            cell=at("plain", 56),
            than=at("resnet", 56),
            margin=MARGIN,
            published="generally larger, on CIFAR-10 (He et al. 2015, Fig. 7)",
        ),
        claims.Greater(
            "The responses of the residual network of 20 layers are larger than those of 56, "
            f"by {MARGIN} or more",
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
            "setup": "The recipe of section 4.2, at its end, at the last batch.",
        }
    },
)
