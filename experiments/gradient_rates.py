"""How fast do gradients grow towards the input, against mean-field theory?

    resnet-jax run experiments/gradient_rates.py

Takes: not yet measured at this size.
Finds: not yet run whole by us.
"""

from resnet_jax.lab import Experiment, claims, figures
from resnet_jax.lab.studies import rates

NETS = {
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

TOLERANCE = 3.0  # percent: theory is that of infinite width, and these have 64 to 512


experiment = Experiment(
    question="Do gradients grow by unit as mean-field theory says?",
    source="Yang et al. 2019, theorem 8; for residual nets derived for this project",
    setup=(
        "Stacks of equal units with normal inputs, no stem and no head: the squared norm of the "
        "gradient at each unit's input, fitted without four units at each end. For plain nets and "
        "h = lambda x the measure is the factor for each unit, for residual ones the exponent of a "
        "power law. Compared is the deviation from theory in percent."
    ),
    study=rates.STUDY,
    axes={"net": tuple(NETS)},
    configure=lambda net: NETS[net],
    seeds=(0, 1, 2, 3, 4),
    measures=("measured", "theory", "deviation"),
    figures=(
        figures.Final(x="net", measures=("deviation",), says="Deviation from theory, in percent."),
    ),
    claims=tuple(
        claims.Within(
            f"{net[0].upper()}{net[1:]}: within {TOLERANCE:g}% of theory",
            measure="deviation",
            cell={"net": net},
            low=-TOLERANCE,
            high=TOLERANCE,
        )
        for net in NETS
    ),
)
