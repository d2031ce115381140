"""Degradation: deeper plain networks train worse; deeper residual ones do not.

    resnet-jax run experiments/degradation.py

Takes: 3 minutes on two cores, 52 s of it to compile; seconds when all runs are done.
Finds: after 300 steps, training errors of 0.1, 3.4 and 71% for plain networks of 20, 32 and 56
layers, and of 0.0% for all residual ones (means of three seeds).
"""

from resnet_jax.lab import Experiment, claims, figures

DEEP, SHALLOW = 56, 20


def network(family: str, depth: int) -> dict[str, str]:
    """Twins: the same network but for the shortcut, which has no parameters (option A)."""
    return {"model.name": f"{family}{depth}"}


def at(family: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"family": family, "depth": depth}


experiment = Experiment(
    question="Do deeper plain networks train worse, and do shortcuts mend it?",
    source="He et al. 2015, sections 1 and 4.2, Figs. 1 and 6",
    published=(
        "On CIFAR-10, with 64,000 steps of 128 images, plain networks of 20 to 56 layers have a "
        "higher training error the deeper they are, and residual ones a lower one; the test error "
        "of ResNet-20 is 8.75%, that of ResNet-56 6.97%."
    ),
    setup=(
        "The networks are those of section 4.2 on digits, 1,797 images of 8x8 pixels, so that "
        "the last stage sees 2x2. Every run is 300 steps of 32 images, about seven epochs: enough "
        "for the residual networks, and for the shallow plain one, to fit the training images. So "
        "the claim is one about a short training, and not, as in the paper, about its end. The "
        "learning rate, 0.01 after 20 steps of warm-up and then a cosine, was chosen in favour of "
        "the plain networks: of 0.1, 0.03 and 0.01 it is the one at which those of 32, 44 and 56 "
        "layers came furthest in a trial of one seed; experiments/degradation_rates.py compares "
        "four rates over three seeds. The margin of the claims on the test error, 2 points, is 7 "
        "of the 360 test images."
    ),
    base="configs/digits.py",
    scale="digits",
    axes={"family": ("plain", "resnet"), "depth": (20, 32, 56)},
    configure=network,
    seeds=(0, 1, 2),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},  # that of a guess among ten classes
    labels={"resnet": "residual", "depth": "layers"},
    figures=(
        figures.Curves(
            measure="train_error",
            panels="family",
            lines="depth",
            says="Training error against step, plain networks at the left, residual at the right.",
        ),
        figures.Final(
            x="depth",
            lines="family",
            says="Error at the end of training, over every example of the split.",
        ),
    ),
    claims=(
        claims.Greater(
            "A deeper plain network trains worse: 56 layers against 20",
            measure="train_error",
            cell=at("plain", DEEP),
            than=at("plain", SHALLOW),
            margin=1.0,
            published="yes, on CIFAR-10 (He et al. 2015, Fig. 6)",
        ),
        claims.NotGreater(
            "A deeper residual network does not train worse: 56 layers against 20",
            measure="train_error",
            cell=at("resnet", DEEP),
            than=at("resnet", SHALLOW),
            margin=1.0,
            published="yes, on CIFAR-10 up to 110 layers (He et al. 2015, Fig. 6)",
        ),
        claims.Greater(
            "At 56 layers, taking the shortcuts away makes training worse",
            measure="train_error",
            cell=at("plain", DEEP),
            than=at("resnet", DEEP),
            margin=1.0,
            published="yes, on CIFAR-10 (He et al. 2015, Fig. 6)",
        ),
        claims.Greater(
            "A deeper plain network also tests worse: 56 layers against 20",
            measure="test_error",
            cell=at("plain", DEEP),
            than=at("plain", SHALLOW),
            margin=2.0,
            published="yes, on CIFAR-10 (He et al. 2015, Fig. 6)",
        ),
        claims.NotGreater(
            "A deeper residual network does not test worse: 56 layers against 20",
            measure="test_error",
            cell=at("resnet", DEEP),
            than=at("resnet", SHALLOW),
            margin=2.0,
            published="yes, on CIFAR-10: 8.75% at 20, 6.97% at 56 layers (He et al. 2015, Table 6)",
        ),
    ),
)
