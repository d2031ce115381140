"""Are the gradients of deep plain networks shattered?

    resnet-jax run experiments/shattered.py

Takes: about twenty seconds on two cores.
Finds: at 50 layers the autocorrelation is -0.02 in a plain net with norm, 0.54 in a residual one
with one layer in a branch, and -0.01 with two: there the claim is refuted (10 seeds).
"""

from resnet_jax.lab import Experiment, Records, claims, figures
from resnet_jax.lab.formatting import number
from resnet_jax.lab.studies import shattered

NETS = {
    "plain without norm": {"normalize": False},
    "plain": {},
    "residual, m 1": {"shortcut": 1.0},
    "residual, m 2": {"shortcut": 1.0, "layers": 2},
    "m 1, branch x 0.1": {"shortcut": 1.0, "scale": 0.1},
}


def at(net: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"net": net, "depth": depth}


def findings(found: Records) -> list[str]:
    """The answer in words."""
    deep = {net: found.summary("autocorrelation", at(net, 50)).mean for net in NETS}
    told = [
        "Between neighbouring inputs the gradient of a plain net with batch norm has an "
        f"autocorrelation of {number(deep['plain'], 2)} at 50 layers, that of a residual one with "
        f"one layer in a branch {number(deep['residual, m 1'], 2)}."
    ]
    if deep["residual, m 2"] < deep["residual, m 1"] / 2:
        told.append(
            "With two layers in a branch, as in the networks that are in use, it is "
            f"{number(deep['residual, m 2'], 2)}. So it is not the shortcut alone that keeps "
            "gradients from shattering, as it is often told: it takes short or scaled-down "
            "branches too."
        )
    if deep["plain without norm"] > deep["plain"] + 0.3:
        told.append(
            f"Without norm a plain net's is {number(deep['plain without norm'], 2)} at the same "
            "depth: it takes depth and the norm together to shatter the gradient."
        )
    return told


experiment = Experiment(
    question="Are the gradients of deep plain networks like white noise?",
    source="Balduzzi et al. 2017, Figs. 1 to 3",
    published="At 50 layers plain networks' gradients resemble white noise, residual ones' do not.",
    setup=(
        "256 points on a line, networks of 200 units a layer, no biases but at the input: the "
        "autocorrelation, from one point to the next, of the gradient of the summed output along "
        "the line, through the norms' statistics too. m is the number of layers in a branch."
    ),
    study=shattered.STUDY,
    axes={"net": tuple(NETS), "depth": (4, 10, 24, 50)},
    configure=lambda net, depth: NETS[net] | {"depth": depth},
    seeds=tuple(range(10)),
    measures=("autocorrelation",),
    figures=(
        figures.Final(
            x="depth",
            lines="net",
            measures=("autocorrelation",),
            says="Autocorrelation of the gradient at lag 1 against depth.",
        ),
    ),
    claims=(
        claims.Within(
            "At 50 layers the gradients of a plain network with norm are nearly white noise",
            measure="autocorrelation",
            cell=at("plain", 50),
            low=-0.15,
            high=0.15,
            published="resemble white noise (Balduzzi et al. 2017)",
        ),
        claims.Within(
            "At 50 layers those of a residual one with one layer in a branch are not white noise",
            measure="autocorrelation",
            cell=at("residual, m 1", 50),
            low=0.3,
            published="far less shattered (Balduzzi et al. 2017)",
        ),
        claims.Within(
            "At 50 layers those of one with two layers in a branch are not white noise",
            measure="autocorrelation",
            cell=at("residual, m 2", 50),
            low=0.3,
        ),
        claims.Greater(
            "Scaling the branch by 0.1 raises the autocorrelation further",
            measure="autocorrelation",
            cell=at("m 1, branch x 0.1", 50),
            than=at("residual, m 1", 50),
            published="yes (Balduzzi et al. 2017)",
        ),
    ),
    findings=findings,
)
