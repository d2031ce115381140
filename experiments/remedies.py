"""Which remedy helps a deep plain network most? Forty of them, one at a time.

    resnet-jax run experiments/remedies.py --workers 2
    resnet-jax run experiments/remedies.py --scale tuned --workers 2   # each at its best rate
    resnet-jax run experiments/remedies.py --scale paper --dry-run

Takes: about 25 minutes on two cores.
"""

from collections.abc import Callable

from resnet_jax.lab import Experiment, Records, Times, Until, claims, figures, ranking

NOTHING = "nothing more"
SKIP = "skip connection"
REMEDIES: dict[str, dict] = {
    NOTHING: {},
    SKIP: {"model.shortcut": "A"},
    "no norm": {"model.normalization": "none"},
    "group norm": {"model.normalization": "group", "model.norm_groups": 8},
    "layer norm": {"model.normalization": "layer"},
    "Glorot": {"model.initializer": "glorot"},
    "orthogonal": {"model.initializer": "orthogonal"},
    "delta-orthogonal": {"model.initializer": "delta_orthogonal"},
    "leaky ReLU": {"model.activation": "leaky_relu"},
    "ELU": {"model.activation": "elu"},
    "GELU": {"model.activation": "gelu"},
    "swish": {"model.activation": "swish"},
    "tanh": {"model.activation": "tanh"},
    "no momentum": {"optimizer.momentum": 0.0},
    "Nesterov": {"optimizer.nesterov": True},
    "Adam": {"optimizer.name": "adam", "optimizer.learning_rate": 1e-3},
    "AdamW": {"optimizer.name": "adamw", "optimizer.learning_rate": 1e-3},
    "RMSProp": {
        "optimizer.name": "rmsprop",
        "optimizer.learning_rate": 1e-3,
        "optimizer.momentum": 0.0,
        "optimizer.b2": 0.9,  # as proposed; 0.999 needs Adam's bias correction
    },
    "Adagrad": {"optimizer.name": "adagrad", "optimizer.learning_rate": 1e-2},
    "LARS": {"optimizer.name": "lars", "optimizer.learning_rate": 5.0},
    "LAMB": {"optimizer.name": "lamb", "optimizer.learning_rate": 1e-2},
    "no warm-up": {"schedule.warmup_steps": 0},
    "longer warm-up": {"schedule.warmup_steps": 75},
    "clipped norm": {"optimizer.clip_norm": 1.0},
    "clipped values": {"optimizer.clip_value": 0.1},
    "no L2": {"optimizer.weight_decay": 0.0},
    "L2, tenfold": {"optimizer.weight_decay": 1e-3},
    "L1": {"optimizer.l1": 1e-5},
    "dropout": {"model.dropout": 0.2},
    "flip": {"data.flip": True},
    "crop": {"data.crop_padding": 1},
    "rotation": {"data.rotate": 15.0},
    "cutout": {"data.cutout": 3},
    "mixup": {"data.mixup": 0.2},
    "cutmix": {"data.cutmix": 1.0},
    "RandAugment": {"data.rand_augment": 2},
    "label smoothing": {"optimizer.label_smoothing": 0.1},
    "squared loss": {"optimizer.loss": "mean_squared_error"},
    "bfloat16": {"model.dtype": "bfloat16"},
    "float16": {"model.dtype": "float16"},
    "float64": {"model.dtype": "float64"},
}
"""Settings of each remedy. Without any: batch norm, SGD with momentum and weight decay."""

ON_CIFAR = {
    "cutout": {"data.cutout": 16},
    "warm-up": {"schedule.warmup_steps": 400},
    "neither crop nor flip": {"data.crop_padding": 0, "data.flip": False},
}
NOT_ON_CIFAR = ("no warm-up", "longer warm-up", "flip", "crop")
"""Left out on CIFAR-10, whose recipe has crops and flips and no warm-up."""

COMPARED = ("group norm", "orthogonal", "ELU", "Adam", "clipped norm")
"""Remedies in the claims: one of each kind that acts on optimization, chosen before any run."""


def settings_at(depth: int, remedies: dict[str, dict]) -> Callable[[str, str], dict | None]:
    """The `configure` of a depth. The residual twin has a skip connection already."""

    def settings(family: str, remedy: str) -> dict | None:
        if (family, remedy) == ("resnet", SKIP):
            return None
        return {"model.name": f"{family}{depth}"} | remedies[remedy]

    return settings


def at(family: str, remedy: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"family": family, "remedy": remedy}


def findings(records: Records) -> list[str]:
    """The ranking, in words."""
    sentences = []
    for family in records.experiment.axes["family"]:
        label = {"plain": "the plain network", "resnet": "its residual twin"}[str(family)]
        effects = ranking.rank(records, "remedy", NOTHING, "train_error", {"family": family})
        sentences += ranking.sentences(effects, "train_error", label)
    return sentences


experiment = Experiment(
    question="Which remedy helps a deep plain network most, and does any equal a shortcut?",
    source="He et al. 2015, section 1",
    published=(
        "The plain networks of He et al. 2015 have batch norm, He initialization and SGD with "
        "momentum, and degrade with depth all the same. The paper's remedy is the shortcut."
    ),
    setup=(
        "A plain network of 32 layers and its residual twin, with batch norm, ReLU, He "
        "initialization, SGD with momentum 0.9 at a learning rate of 0.01 after 20 steps of "
        "warm-up, weight decay 1e-4 and float32; 150 steps with batches of 32 digits. Each remedy "
        "changes one of these, to a customary value that was not tuned; other optimizers have "
        "learning rates of their own. Training errors are measured in evaluation mode on images "
        "without augmentation. The first claim has a margin of 5 points (72 of 1,437 images), so "
        "that a large benefit alone supports it; the others have none: any difference counts."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"train.steps": 150},
    axes={"family": ("plain", "resnet"), "remedy": tuple(REMEDIES)},
    configure=settings_at(32, REMEDIES),
    seeds=Until(start=100),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    labels={"resnet": "residual"},
    figures=(
        figures.Ranking(
            axis="remedy",
            than=NOTHING,
            panels="family",
            says="Change of the training error by each remedy, the most helpful for the plain "
            "network first.",
        ),
    ),
    findings=findings,
    claims=(
        claims.Greater(
            "A skip connection reduces the training error of the plain network by more than 5 "
            "points",
            measure="train_error",
            cell=at("plain", NOTHING),
            than=at("plain", SKIP),
            margin=5.0,
            published="yes, on CIFAR-10 and ImageNet (He et al. 2015)",
        ),
        *(
            claims.Greater(
                "The skip connection reduces the training error of the plain network more than "
                f"{remedy}",
                measure="train_error",
                cell=at("plain", remedy),
                than=at("plain", SKIP),
            )
            for remedy in COMPARED
        ),
    ),
    scales={
        "tuned": {
            "axes": {"family": ("plain",), "remedy": (NOTHING, SKIP, *COMPARED)},
            "tune": {"optimizer.learning_rate": Times(0.1, 0.3, 1, 3, 10)},
            "setup": (
                "The plain network of the scale `digits` with the remedies that are in the claims, "
                "each at the best of five learning rates for it: 0.1 to 10 times the rate that it "
                "has there (0.01, with Adam 0.001). The best is the one with the lowest mean error "
                "of two runs on the last tenth of the training split (144 images), when trained on "
                "the rest. Claims, margins and seeds are those of the scale `digits`."
            ),
        },
        "paper": {
            "base": "configs/cifar10.py",
            "settings": {},
            "axes": {
                "family": ("plain", "resnet"),
                "remedy": tuple(
                    each for each in {**REMEDIES, **ON_CIFAR} if each not in NOT_ON_CIFAR
                ),
            },
            "configure": settings_at(56, REMEDIES | ON_CIFAR),
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "Plain and residual networks of 56 layers with the CIFAR-10 recipe of He et al. "
                "2015, including its crops and flips. No paper has this table. The margins are "
                "those of the scale `digits`: 5 points for the first claim, none for the others."
            ),
        },
    },
)
