"""Gradients by depth without normalisation: what remains of the explosion?

    resnet-jax run experiments/gradient_norms_without_norm.py

Takes: about half a minute on two cores.
Finds: along depth the plain network's gradient is even, and all of it falls by 3.8 decades from 8
to 56 layers (5 seeds); the residual network of 56 layers starts at a loss of about 1100 nats.
"""

import math

import numpy as np

from resnet_jax.lab import Experiment, Records, answers, claims, figures, gradients


def level(metrics):
    """The decimal logarithm of the norm over the kernels of all units."""
    return math.log10(np.linalg.norm(answers.profile(metrics)["value"]))


def findings(found: Records) -> list[str]:
    """The answer in words."""
    told = answers.in_words("family", "depth", deepest=56)(found)
    shallow, deep = (found.summary("level", at("plain", depth)).mean for depth in (8, 56))
    if deep < shallow - 1:
        told.append(
            "In the plain network the gradient is even along depth and yet it vanishes: all of it "
            f"falls by {shallow - deep:.1f} decades from 8 to 56 layers. Zeros at the border of a "
            "small image cost each layer some of the signal, forward and backward."
        )
    return told


def at(family: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"family": family, "depth": depth}


experiment = Experiment(
    question="How do gradients change with depth where nothing is normalised?",
    source="He et al. 2015b (initialisation for ReLU), Hanin 2018, Zhang et al. 2019",
    setup=(
        "As the experiment `gradient_norms`, without batch normalisation: He's initialisation "
        "keeps the gradient's size on average in a plain network, and adds it up in a residual one."
    ),
    base="configs/digits.py",
    scale="digits",
    study=gradients.AT_START,
    settings={
        "model.normalization": "none",
        "probe.sites": ("stage*/unit??", "*/kernel"),
        "train.batch_size": 128,
    },
    axes={"family": ("plain", "resnet"), "depth": (8, 20, 56)},
    configure=lambda family, depth: {"model.name": f"{family}{depth}"},
    seeds=(0, 1, 2, 3, 4),
    measures=("decades", "level", "loss"),
    derive={"decades": gradients.decades(), "level": level},
    labels={"resnet": "residual", "depth": "layers"},
    figures=(
        figures.Profile(
            panels="family",
            lines="depth",
            says="Norm of the gradient of each unit's kernels, from the input to the output.",
        ),
    ),
    claims=(
        claims.Within(
            "In a plain network of 56 layers the ratio of first to last unit is within a factor "
            "of ten",
            measure="decades",
            cell=at("plain", 56),
            low=-1.0,
            high=1.0,
        ),
        claims.Greater(
            "All of a plain network's gradient vanishes with depth: tenfold and more from 8 to 56 "
            "layers",
            measure="level",
            cell=at("plain", 8),
            than=at("plain", 56),
            margin=1.0,
        ),
        claims.Within(
            "A residual network of 56 layers starts at a loss over ten times that of a guess",
            measure="loss",
            cell=at("resnet", 56),
            low=23.0,
        ),
    ),
    findings=findings,
)
