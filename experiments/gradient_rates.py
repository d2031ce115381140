"""How fast do gradients grow towards the input? Stacks of units against mean-field theory.

    resnet-jax run experiments/gradient_rates.py --workers 2

Takes: about a minute on two cores.
"""

from typing import Any

from resnet_jax.lab import Experiment, Records, Until, claims, figures
from resnet_jax.lab.studies import rates

NETS: dict[str, dict[str, Any]] = {
    "plain, B 8": {"batch": 8},
    "plain, B 32": {"batch": 32},
    "plain, B 128": {"batch": 128},
    "circular 3x3": {"linear": "circular", "batch": 16, "width": 64},
    "zero-padded 3x3": {"linear": "zero", "batch": 16, "width": 64},
    "residual, m 1": {"shortcut": 1.0, "width": 256, "units": 100},
    "residual, m 2": {"shortcut": 1.0, "layers": 2, "width": 256, "units": 100},
    "h = 0.5 x": {"shortcut": 0.5},
    "h = 0.9 x": {"shortcut": 0.9},
}

PAIR = ("plain, B 32", "residual, m 2")
TOLERANCE = 0.03


def agrees_with_theory(net: str) -> claims.Within:
    """The claim that the rate of a net is that of theory, up to the tolerance."""
    theory = rates.expected(**NETS[net])
    what = "exponent" if NETS[net].get("shortcut") == 1 else "growth factor per unit"
    return claims.Within(
        f"“{net}”: the {what} of the squared gradient is within {TOLERANCE:.0%} of theory",
        measure="measured",
        cell={"net": net},
        low=theory * (1 - TOLERANCE),
        high=theory * (1 + TOLERANCE),
        published=f"{theory:.3f}",
    )


def findings(records: Records) -> list[str]:
    """The rates of two nets and the largest deviation, in words."""
    off = {net: records.summary("deviation", {"net": net}).mean for net in NETS}
    furthest = max(off, key=lambda net: abs(off[net]))
    plain, residual = (records.told("measured", {"net": net}) for net in PAIR)
    return [
        "In a plain net with batch norm the squared gradient grows exponentially towards the "
        f"input, by a factor of {plain} in each layer (batches of 32).",
        "With a shortcut it grows only as a power of the depth; with two layers in a branch the "
        f"exponent is {residual}.",
        f"Of the {len(NETS)} nets, {furthest!r} is furthest from theory: its mean deviates by "
        f"{off[furthest]:.1f}%.",
    ]


experiment = Experiment(
    question="Do gradients grow from unit to unit as mean-field theory predicts?",
    source="Yang et al. 2019, theorem 8; extended to residual nets for this project",
    setup=(
        "Stacks of equal units with Gaussian inputs, without stem and head. The squared norm of "
        "the gradient at each unit's input is fitted along depth, without four units at each end. "
        "For plain nets and h = lambda x the measure is the factor per unit; for residual nets it "
        "is the exponent e of a power law (L/l)^e. The tolerance of 3% is for finite width: "
        "theory is for infinite width, the nets are 64 to 512 wide. For “h = 0.9 x”, whose factor "
        "is 1.094, 3% of the factor is a third of the growth. B is the batch size, m the number "
        "of layers in a branch."
    ),
    study=rates.STUDY,
    axes={"net": tuple(NETS)},
    configure=lambda net: NETS[net],
    seeds=Until(start=100),
    measures=("measured", "deviation"),
    figures=(
        figures.Final(x="net", measures=("deviation",), says="Deviation from theory, in percent."),
    ),
    claims=tuple(map(agrees_with_theory, NETS)),
    findings=findings,
)
