"""Gradient norms by depth in networks without normalization.

    resnet-jax run experiments/gradient_norms_without_norm.py --workers 2

Takes: about a minute on two cores.
"""

import math

import numpy as np
import pandas as pd

from resnet_jax.lab import Experiment, Records, Until, answers, claims, figures, gradients


def level(metrics: pd.DataFrame) -> float:
    """log10 of the gradient norm over the kernels of all units."""
    return math.log10(np.linalg.norm(answers.profile(metrics)["value"]))


def findings(records: Records) -> list[str]:
    """The gradient's profile and its overall size, in words."""
    sentences = answers.in_words("family", "depth", deepest=56)(records)
    shallow, deep = (records.summary("level", at("plain", depth)).mean for depth in (8, 56))
    if deep < shallow - 1:
        sentences.append(
            "In the plain network the gradient is about the same in every unit, and yet it "
            f"vanishes: its norm falls by {shallow - deep:.1f} decades from 8 to 56 layers. Zero "
            "padding of small images costs each layer some of the signal, forward and backward."
        )
    return sentences


def at(family: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"family": family, "depth": depth}


experiment = Experiment(
    question="How do gradients change with depth in networks without normalization?",
    source="He et al. 2015b (initialization for ReLU), Hanin 2018, Zhang et al. 2019",
    setup=(
        "As the experiment `gradient_norms`, without batch normalization. He initialization keeps "
        "the size of the gradient on average in a plain network; in a residual network the "
        "gradients of the branches add up. Margins are factors of ten (one decade), as there. "
        "Chance has a loss of ln 10, 2.3 nats."
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
    seeds=Until(start=100),
    measures=("decades", "level", "loss"),
    derive={"decades": gradients.decades(), "level": level},
    labels={"resnet": "residual", "depth": "layers"},
    figures=(
        figures.Profile(
            panels="family",
            lines="depth",
            says="Gradient norm of each unit's kernels, from input to output.",
        ),
    ),
    claims=(
        claims.Within(
            "In a plain network of 56 layers the gradients of the first and last unit are within a "
            "factor of ten",
            measure="decades",
            cell=at("plain", 56),
            low=-1.0,
            high=1.0,
        ),
        claims.Greater(
            "The whole gradient of a plain network vanishes with depth: more than tenfold from 8 "
            "to 56 layers",
            measure="level",
            cell=at("plain", 8),
            than=at("plain", 56),
            margin=1.0,
        ),
        claims.Within(
            "A residual network of 56 layers starts at a loss of at least 23 nats, ten times that "
            "of chance",
            measure="loss",
            cell=at("resnet", 56),
            low=23.0,
        ),
    ),
    findings=findings,
)
