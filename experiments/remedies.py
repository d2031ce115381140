"""Which remedy helps a deep plain network most? Every one that people reach for, one at a time.

    resnet-jax run experiments/remedies.py --workers 2
    resnet-jax run experiments/remedies.py --scale paper --dry-run

Takes: about half an hour on two cores.
Finds: of forty remedies three help the plain network of 32 layers: the skip connection, ELU and
tanh take its training error from 23% to 0.1, 0.3 and 1.1%. Nineteen harm it, group norm and Adam
among them; the residual twin hardly notices most (5 seeds).
"""

from resnet_jax.lab import Experiment, Records, claims, figures, ranking

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
        "optimizer.b2": 0.9,  # of the lecture that it comes from; Adam's 0.999 needs its correction
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
"""What each changes of a plain network with batch norm, SGD with momentum and weight decay."""

ON_CIFAR = {
    "cutout": {"data.cutout": 16},
    "warm-up": {"schedule.warmup_steps": 400},
    "neither crop nor flip": {"data.crop_padding": 0, "data.flip": False},
}
IN_RECIPE = ("no warm-up", "longer warm-up", "flip", "crop")
"""What the recipe for CIFAR-10 has already, or has not to begin with."""

COMPARED = ("group norm", "orthogonal", "ELU", "Adam", "clipped norm")
"""A remedy of each kind that acts on optimisation, chosen before any run, for the claims."""


def settings_at(depth: int, remedies: dict[str, dict]):
    """The runs of a depth; of the residual twin, a skip connection more is none."""

    def settings(family: str, remedy: str) -> dict | None:
        if (family, remedy) == ("resnet", SKIP):
            return None
        return {"model.name": f"{family}{depth}"} | remedies[remedy]

    return settings


def at(family: str, remedy: str) -> dict[str, str]:
    """A cell of the grid."""
    return {"family": family, "remedy": remedy}


def findings(found: Records) -> list[str]:
    """The ranking in words."""
    told = []
    for family, label in (("plain", "the plain network"), ("resnet", "its residual twin")):
        effects = ranking.rank(found, "remedy", NOTHING, "train_error", {"family": family})
        told += ranking.sentences(effects, "train_error", label)
    return told


experiment = Experiment(
    question="Which remedy does most for a deep plain network, and does any equal a shortcut?",
    source="He et al. 2015, section 1, whose remedy is the shortcut",
    published=(
        "He et al. 2015 compare plain networks that have batch norm, He's initialisation and SGD "
        "with momentum already, and find them to degrade with depth all the same."
    ),
    setup=(
        "A plain network of 32 layers and its residual twin, with batch norm, ReLU, He's "
        "initialisation, SGD with momentum 0.9 at 0.01 after 20 steps of warm-up, weight decay "
        "1e-4, float32; 150 steps of 32 digits. Each remedy changes one of these, at a customary "
        "setting that was not tuned; an optimizer of its own has a learning rate of its own. "
        "Training errors are of the images as they are, without augmentation or mixing, in "
        "evaluation mode. Five seeds, of which three were run and looked at first, and left most "
        "effects open: the intervals take no account of that."
    ),
    base="configs/digits.py",
    scale="digits",
    settings={"train.steps": 150},
    axes={"family": ("plain", "resnet"), "remedy": tuple(REMEDIES)},
    configure=settings_at(32, REMEDIES),
    seeds=(0, 1, 2, 3, 4),
    measures=("train_error", "test_error"),
    diverged={"train_error": 90.0, "test_error": 90.0},
    labels={"resnet": "residual"},
    figures=(
        figures.Ranking(
            axis="remedy",
            than=NOTHING,
            panels="family",
            says="What each remedy changes of the training error, most helpful for the plain "
            "network first.",
        ),
    ),
    findings=findings,
    claims=(
        claims.Greater(
            "A skip connection makes the plain network train better, by 5 points or more",
            measure="train_error",
            cell=at("plain", NOTHING),
            than=at("plain", SKIP),
            margin=5.0,
            published="yes, on CIFAR-10 and ImageNet (He et al. 2015)",
        ),
        *(
            claims.Greater(
                f"The skip connection does more for the plain network than {remedy}",
                measure="train_error",
                cell=at("plain", remedy),
                than=at("plain", SKIP),
            )
            for remedy in COMPARED
        ),
    ),
    scales={
        "paper": {
            "base": "configs/cifar10.py",
            "settings": {},
            "axes": {
                "family": ("plain", "resnet"),
                "remedy": tuple(each for each in {**REMEDIES, **ON_CIFAR} if each not in IN_RECIPE),
            },
            "configure": settings_at(56, REMEDIES | ON_CIFAR),
            "seeds": (0, 1, 2, 3, 4),
            "setup": (
                "Plain and residual networks of 56 layers by the recipe of He et al. 2015 for "
                "CIFAR-10, whose crops and flips all of them have; no paper has this table."
            ),
        }
    },
)
