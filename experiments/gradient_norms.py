"""Do gradients vanish in a deep plain network? Norms by unit and depth, before the first step.

    resnet-jax run experiments/gradient_norms.py

Takes: a little over three minutes on two cores, nearly all of it to compile.
Finds: at 56 layers the first unit's gradient is about 960 times the last unit's in the plain
network (95% interval 580 to 1600, 5 seeds), 4.6 times in the residual one and 6.6 times in the one
of pre-activation.
"""

import math

from resnet_jax.lab import Experiment, answers, claims, figures, gradients
from resnet_jax.lab.analysis.growth import DEFAULT

DEPTHS = (8, 20, 32, 56, 110)


def at(family: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"family": family, "depth": depth}


experiment = Experiment(
    question="Do gradients vanish in a deep plain network, and what does a shortcut change?",
    source=(
        'He et al. 2015, section 4.1 (gradients have "healthy norms" with batch normalisation); '
        "Yang et al. 2019 (they explode in plain networks)"
    ),
    setup=(
        "Networks as they are before the first step, on one batch of 128 digits, with the batch's "
        "statistics. The norm of a unit is that of the gradient of all its kernels; the measure is "
        "the decimal logarithm of the first unit's norm over the last unit's."
    ),
    base="configs/digits.py",
    scale="digits",
    study=gradients.AT_START,
    settings={"train.batch_size": 128, "probe.sites": ("stage*/unit??", "*/kernel")},
    axes={"family": ("plain", "resnet", "preact"), "depth": DEPTHS},
    configure=lambda family, depth: {"model.name": f"{family}{depth}"},
    seeds=(0, 1, 2, 3, 4),
    measures=("decades",),
    derive={"decades": gradients.decades()},
    labels={"resnet": "residual", "preact": "pre-activation", "depth": "layers"},
    figures=(
        figures.Profile(
            panels="family",
            lines="depth",
            selection=DEFAULT,
            says="Norm of the gradient of each unit's kernels, from the input to the output.",
        ),
        figures.Profile(
            name="relative",
            panels="family",
            lines="depth",
            x="relative",
            says="The same against relative depth.",
        ),
        figures.Ratio(
            x="depth",
            lines="family",
            says="The first unit's norm over the last unit's, against the number of layers.",
        ),
    ),
    claims=(
        claims.Within(
            "In a plain network of 56 layers the gradient vanishes towards the input, to less than "
            "half (as many tutorials have it)",
            measure="decades",
            cell=at("plain", 56),
            high=-math.log10(2),
            published="refuted: it explodes (Yang et al. 2019)",
        ),
        claims.Within(
            "In a plain network of 56 layers it explodes towards the input, a hundredfold and more",
            measure="decades",
            cell=at("plain", 56),
            low=2.0,
            published="exponential growth, without end (Yang et al. 2019)",
        ),
        claims.Greater(
            "In plain networks the ratio grows with depth, tenfold and more from 20 to 56 layers",
            measure="decades",
            cell=at("plain", 56),
            than=at("plain", 20),
            margin=1.0,
        ),
        claims.Within(
            "In a residual network of 56 layers the ratio stays within a factor of ten",
            measure="decades",
            cell=at("resnet", 56),
            low=-1.0,
            high=1.0,
            published="“healthy norms” (He et al. 2015)",
        ),
        claims.Within(
            "In a pre-activation network of 56 layers it stays within a factor of ten",
            measure="decades",
            cell=at("preact", 56),
            low=-1.0,
            high=1.0,
            published="“healthy norms” (He et al. 2015)",
        ),
        claims.Within(
            "In a residual network of 110 layers it stays within a factor of ten",
            measure="decades",
            cell=at("resnet", 110),
            low=-1.0,
            high=1.0,
            published="“healthy norms” (He et al. 2015)",
        ),
    ),
    findings=answers.in_words("family", "depth", deepest=56),
)
