"""Shattered gradients: autocorrelation of gradients along the input. Balduzzi et al. 2017.

    resnet-jax run experiments/shattered.py --workers 2

Takes: about a minute on two cores.
"""

from typing import Any

from resnet_jax.lab import Experiment, Records, Until, claims, figures
from resnet_jax.lab.formatting import number
from resnet_jax.lab.studies import shattered

NETS: dict[str, dict[str, Any]] = {
    "plain without norm": {"normalize": False},
    "plain": {},
    "residual, m 1": {"shortcut": 1.0},
    "residual, m 2": {"shortcut": 1.0, "layers": 2},
    "m 1, branch x 0.1": {"shortcut": 1.0, "scale": 0.1},
}


def at(net: str, depth: int) -> dict[str, str | int]:
    """A cell of the grid."""
    return {"net": net, "depth": depth}


def findings(records: Records) -> list[str]:
    """The autocorrelations of the deepest nets, in words."""
    deep = {net: records.summary("autocorrelation", at(net, 50)).mean for net in NETS}
    sentences = [
        "At 50 layers the autocorrelation of the gradient between neighboring inputs is "
        f"{number(deep['plain'], 2)} in a plain net with batch norm and "
        f"{number(deep['residual, m 1'], 2)} in a residual net with one layer in a branch."
    ]
    if deep["residual, m 2"] < deep["residual, m 1"] / 2:
        sentences.append(
            "With two layers in a branch, as in common networks, it is "
            f"{number(deep['residual, m 2'], 2)}. So a shortcut alone does not keep gradients from "
            "shattering, as is often said; branches must be short or scaled down too."
        )
    if deep["plain without norm"] > deep["plain"] + 0.3:
        sentences.append(
            f"In a plain net without norm it is {number(deep['plain without norm'], 2)} at the "
            "same depth: it takes depth and batch norm together to shatter the gradient."
        )
    return sentences


experiment = Experiment(
    question="Are the gradients of deep plain networks like white noise?",
    source="Balduzzi et al. 2017, Figs. 1 to 3",
    published=(
        "At 50 layers the gradients of plain networks resemble white noise; those of residual "
        "networks do not."
    ),
    setup=(
        "Dense networks 200 units wide, with biases in the input layer only, on 256 points of a "
        "line. The measure is the autocorrelation at lag 1 (from one point to the next) of the "
        "gradient of the summed output, through the batch statistics too. m is the number of "
        "layers in a branch. White noise at 256 points has a mean autocorrelation of 0 with a "
        "standard deviation of 0.06: a mean within 0.15 of 0 counts as nearly white, one of 0.3 or "
        "more as not white."
    ),
    study=shattered.STUDY,
    axes={"net": tuple(NETS), "depth": (4, 10, 24, 50)},
    configure=lambda net, depth: NETS[net] | {"depth": depth},
    seeds=Until(start=100),
    measures=("autocorrelation",),
    figures=(
        figures.Final(
            x="depth",
            lines="net",
            measures=("autocorrelation",),
            says="Autocorrelation of the gradient at lag 1, against depth.",
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
            "At 50 layers the gradients of a residual network with one layer in a branch are not "
            "white noise",
            measure="autocorrelation",
            cell=at("residual, m 1", 50),
            low=0.3,
            published="far less shattered (Balduzzi et al. 2017)",
        ),
        claims.Within(
            "At 50 layers the gradients of a residual network with two layers in a branch are not "
            "white noise",
            measure="autocorrelation",
            cell=at("residual, m 2", 50),
            low=0.3,
        ),
        claims.Greater(
            "At 50 layers scaling branches of one layer by 0.1 raises the autocorrelation further",
            measure="autocorrelation",
            cell=at("m 1, branch x 0.1", 50),
            than=at("residual, m 1", 50),
            published="yes (Balduzzi et al. 2017)",
        ),
    ),
    findings=findings,
)
