"""Do gradients vanish in a deep plain network? Gradient norms by unit and depth, before training.

    resnet-jax run experiments/gradient_norms.py --workers 2

Takes: about nine minutes on two cores, most of it compilation.
"""

import math

from resnet_jax.lab import Experiment, Until, answers, claims, figures, gradients
from resnet_jax.lab.analysis.growth import DEFAULT

DEPTHS = (8, 20, 32, 56, 110)


def at(family: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"family": family, "depth": depth}


experiment = Experiment(
    question="Do gradients vanish in a deep plain network, and what does a shortcut change?",
    source=(
        'He et al. 2015, section 4.1 (gradients have "healthy norms" with batch normalization); '
        "Yang et al. 2019 (gradients explode in plain networks)"
    ),
    setup=(
        "Networks at initialization, on one batch of 128 digits, normalized by its statistics. "
        "The norm of a unit is that of the gradient of all its kernels. The measure is log10(norm "
        "of the first unit / norm of the last unit), and claims are about its mean. A "
        "ratio within a factor of ten counts as healthy, one below a half as vanishing, one above "
        "a hundred as exploding."
    ),
    base="configs/digits.py",
    scale="digits",
    study=gradients.AT_START,
    settings={"train.batch_size": 128, "probe.sites": ("stage*/unit??", "*/kernel")},
    axes={"family": ("plain", "resnet", "preact"), "depth": DEPTHS},
    configure=lambda family, depth: {"model.name": f"{family}{depth}"},
    seeds=Until(start=100),
    measures=("decades",),
    derive={"decades": gradients.decades()},
    labels={"resnet": "residual", "preact": "pre-activation", "depth": "layers"},
    figures=(
        figures.Profile(
            panels="family",
            lines="depth",
            selection=DEFAULT,
            says="Gradient norm of each unit's kernels, from input to output.",
        ),
        figures.Profile(
            name="relative",
            panels="family",
            lines="depth",
            x="relative",
            says="Gradient norm of each unit's kernels against relative depth.",
        ),
        figures.Ratio(
            x="depth",
            lines="family",
            says="Norm of the first unit over that of the last, against depth.",
        ),
    ),
    claims=(
        claims.Within(
            "In a plain network of 56 layers the gradient vanishes towards the input: the ratio is "
            "below one half (as many tutorials say)",
            measure="decades",
            cell=at("plain", 56),
            high=-math.log10(2),
            published="refuted: it explodes (Yang et al. 2019)",
        ),
        claims.Within(
            "In a plain network of 56 layers it explodes towards the input: the ratio is above 100",
            measure="decades",
            cell=at("plain", 56),
            low=2.0,
            published="exponential growth with depth (Yang et al. 2019)",
        ),
        claims.Greater(
            "In plain networks the ratio grows more than tenfold from 20 to 56 layers",
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
            "In a pre-activation network of 56 layers the ratio stays within a factor of ten",
            measure="decades",
            cell=at("preact", 56),
            low=-1.0,
            high=1.0,
            published="“healthy norms” (He et al. 2015)",
        ),
        claims.Within(
            "In a residual network of 110 layers the ratio stays within a factor of ten",
            measure="decades",
            cell=at("resnet", 110),
            low=-1.0,
            high=1.0,
            published="“healthy norms” (He et al. 2015)",
        ),
    ),
    findings=answers.in_words("family", "depth", deepest=56),
)
