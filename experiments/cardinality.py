"""Cardinality: many narrow groups against one wide one. Xie et al. 2017 (ResNeXt).

    resnet-jax run experiments/cardinality.py --workers 2
    resnet-jax run experiments/cardinality.py --scale paper --dry-run

Takes: about twelve minutes on two cores (grouped convolutions are slow on CPUs).
"""

from resnet_jax.lab import Experiment, Paper, Until, claims, figures
from resnet_jax.models import published

CIFAR = published.tables()["others_cifar"]
IMAGENET = published.tables()["xie2017_imagenet"]
SAME_COST = ("1x64d", "2x40d", "4x24d", "8x14d")
"""Cardinality C and group width d at about equal multiply-adds (Xie et al. 2017, Table 2)."""

GROUPED = {
    "data.normalize": "channel",
    "optimizer.nesterov": True,
    "optimizer.weight_decay": 5e-4,
    "schedule.drop_steps": (),
    "schedule.drop_epochs": (150, 225),
    "train.steps": 0,
    "train.epochs": 300.0,
}
"""Where the recipe of the paper and its authors' code differs from He et al. 2015."""


def on_imagenet(groups: str) -> float:
    """Top-1 error of Table 3; one group is a plain bottleneck ResNet."""
    return IMAGENET[f"{'resnet' if groups == '1x64d' else 'resnext'}50_{groups}"]


def on_cifar(groups: str) -> float | None:
    """The CIFAR-10 column of Table 7."""
    return CIFAR.get(f"resnext29_{groups}", {}).get("cifar10")


def at(groups: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"groups": groups}


experiment = Experiment(
    question="Does a higher cardinality reduce the error, at equal cost and at higher cost?",
    source="Xie et al. 2017, arXiv 1611.05431, Tables 2, 3 and 7",
    published=(
        "On ImageNet, at about equal multiply-adds, the error falls from 23.9% (ResNet-50, 1x64d) "
        "to 22.2% (ResNeXt-50, 32x4d). On CIFAR-10, ResNeXt-29 reaches 3.65% with 8x64d and 3.58% "
        "with 16x64d, at a higher cost."
    ),
    paper=Paper(
        source="Xie et al. 2017, arXiv 1611.05431, Table 3",
        figures=on_imagenet,
        words="ImageNet, ResNet-50 and ResNeXt-50, single-crop top-1 error",
    ),
    setup=(
        "Networks of 11 layers with stages of 32, 64 and 128 channels, half the paper's widths, "
        "so that the groups are half as wide too. 200 steps with batches of 32 digits. The "
        "margin, half a point, is 2 of 360 test images or 7 of 1,437 training images, and a third "
        "of the paper's difference."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"model.widths": (32, 64, 128), "train.steps": 200},
    axes={"groups": SAME_COST},
    configure=lambda groups: {"model.name": f"resnext11-{groups}"},
    seeds=Until(start=100),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    figures=(
        figures.Final(x="groups", says="Final errors by number and width of groups."),
        figures.Curves(
            lines="groups", says="Training error against step, by number and width of groups."
        ),
    ),
    claims=(
        claims.Greater(
            "Eight narrow groups (8x14d) test better than one wide one (1x64d)",
            measure="test_error",
            cell=at("1x64d"),
            than=at("8x14d"),
            margin=0.5,
            published="23.9% and 22.3% with ResNet-50 on ImageNet (Table 3)",
        ),
        claims.NotGreater(
            "Eight narrow groups (8x14d) train no worse than one wide one (1x64d)",
            measure="train_error",
            cell=at("8x14d"),
            than=at("1x64d"),
            margin=0.5,
            published="better: “stronger representations”, not regularization (section 5.1)",
        ),
    ),
    scales={
        "paper": {
            "base": "configs/cifar10.py",
            "settings": GROUPED,
            "paper": Paper(
                source=f"{CIFAR['resnext29_8x64d']['source']}, Table 7",
                figures=on_cifar,
                words="CIFAR-10, mean of 10 runs",
            ),
            "axes": {"groups": ("1x64d", "8x64d", "16x64d")},
            "configure": lambda groups: {"model.name": f"resnext29-{groups}"},
            "seeds": tuple(range(10)),
            "setup": (
                "The paper's recipe: 300 epochs with batches of 128, learning rate 0.1, divided "
                "by 10 after 150 and 225 epochs, weight decay 5e-4, Nesterov's momentum as in the "
                "authors' code. 1x64d is the network without groups, at a fraction of the cost; "
                "any difference from it counts. The margin of the second claim, 0.1 points, is a "
                "little above the paper's difference of 0.07 points in the other direction."
            ),
            "claims": (
                claims.Greater(
                    "Eight groups (8x64d) test better than one (1x64d)",
                    measure="test_error",
                    cell=at("1x64d"),
                    than=at("8x64d"),
                    published="yes (Fig. 7)",
                ),
                claims.NotGreater(
                    "Sixteen groups (16x64d) test no worse than eight (8x64d)",
                    measure="test_error",
                    cell=at("16x64d"),
                    than=at("8x64d"),
                    margin=0.1,
                    published="3.58% and 3.65%",
                ),
            ),
        }
    },
)
