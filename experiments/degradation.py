"""Degradation: deeper plain networks train worse, deeper residual networks do not.

    resnet-jax run experiments/degradation.py --workers 2
    resnet-jax run experiments/degradation.py --scale tuned --workers 2   # each at its best rate

Takes: three to five minutes on two cores.
"""

from resnet_jax.lab import Experiment, Until, claims, figures

DEEP, SHALLOW = 56, 20


def network(family: str, depth: int) -> dict[str, str]:
    """Twins: they differ in the shortcut alone, which has no parameters (option A)."""
    return {"model.name": f"{family}{depth}"}


def at(family: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"family": family, "depth": depth}


experiment = Experiment(
    question="Do deeper plain networks train worse, and do shortcuts prevent it?",
    source="He et al. 2015, sections 1 and 4.2, Figs. 1 and 6",
    published=(
        "On CIFAR-10, after 64,000 steps with batches of 128, the training error of plain networks "
        "grows with depth from 20 to 56 layers, and that of residual networks falls. The test "
        "error falls from 8.75% (ResNet-20) to 6.97% (ResNet-56)."
    ),
    setup=(
        "The networks of section 4.2 on digits: 1,797 images of 8x8 pixels, so the last stage has "
        "2x2 pixels. Each run has 300 steps with batches of 32, about seven epochs, which is "
        "enough for the residual networks and the shallow plain network to fit the training set. "
        "The claims are therefore about short training, the paper's about its end. The learning "
        "rate (0.01 with 20 steps of warm-up, then a cosine) was chosen in favor of the plain "
        "networks: of 0.1, 0.03 and 0.01 it trained plain networks of 32, 44 and 56 layers best "
        "in a trial with one seed; experiments/degradation_rates.py compares four rates. Of "
        "errors, “worse” means by more than a margin: 1 point of the training error (14 of 1,437 "
        "images), 2 points of the test error (7 of 360)."
    ),
    base="configs/digits.py",
    scale="digits",
    axes={"family": ("plain", "resnet"), "depth": (20, 32, 56)},
    configure=network,
    seeds=Until(start=100),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},  # chance level of ten classes
    labels={"resnet": "residual", "depth": "layers"},
    figures=(
        figures.Curves(
            measure="train_error",
            panels="family",
            lines="depth",
            says="Training error against step, plain and residual networks.",
        ),
        figures.Final(
            x="depth",
            lines="family",
            says="Final error by depth, over all examples of the split.",
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
            "At 56 layers, removing the shortcuts makes training worse",
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
    scales={
        "tuned": {
            "axes": {"family": ("plain", "resnet"), "depth": (SHALLOW, DEEP)},
            "tune": {"optimizer.learning_rate": (0.001, 0.003, 0.01, 0.03, 0.1)},
            "setup": (
                "As at the scale `digits`, but each network has the learning rate of five that is "
                "best for it: the one with the lowest mean error of two runs on the last tenth of "
                "the training split (144 images), when trained on the rest. Claims, margins and "
                "seeds are those of the scale `digits`."
            ),
        }
    },
)
