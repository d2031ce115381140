"""What a page can show of a mark: its series, seeds, runs and values, as attributes of the SVG.

An artist carries its data in its gid (`mark`), which matplotlib writes as the id of an SVG group.
`with_attributes` turns these ids into attributes, which `reporting/templates/figures.js` reads.
Each holds JSON:

    panel                    of a group of axes: title, labels, limits and scales of the two axes;
    (data-panel, ...)        for a heat map also the edges and values of its cells (data-cells)
    data-series              the keys of the legend that the mark belongs to; it hides with any
    data-key                 of a key of the legend, and of its text: its name
    data-x, data-y           places of the points, in the units of the panel's axes
    data-at                  names of the places, where the axis has names instead of numbers
    data-value               "x" or "y": the axis that has the value; "y" if there is none
    data-dx, data-dy         by how much the points are drawn beside their places, in points (1/72")
    data-run, data-seed      of all points, or a list with one for each
    data-note                what a point is, such as "mean of 3 seeds"; one, or one for each

A group also has a <title>, which browsers show and read out without a script.
"""

import html
import json
import math
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, unquote

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.legend import Legend

PREFIX = "mark:"
DIGITS = 5  # significant ones of the numbers
TITLED = 12  # points of which the title names the values

Data = dict[str, Any]


def mark(artist: Artist, *series: str, **data: Any) -> None:
    """Attaches data to an artist, in addition to what it has.

    Args:
      artist: what is drawn.
      series: the labels of the legend's keys that it belongs to.
      data: see the module; lists and arrays of numbers, and words.
    """
    words = {"series": list(dict.fromkeys(filter(None, series)))} if any(series) else {}
    known = data_of(artist) | words | {name: _plain(value) for name, value in data.items()}
    text = json.dumps(known, separators=(",", ":"), ensure_ascii=False)
    artist.set_gid(PREFIX + quote(text, safe=""))


def data_of(artist: Artist) -> Data:
    """Returns the data attached to an artist; empty without any."""
    gid = artist.get_gid() or ""
    return json.loads(unquote(gid.removeprefix(PREFIX))) if gid.startswith(PREFIX) else {}


def marked(figure: Figure) -> list[Data]:
    """Returns the data of all artists of a figure that have some, in no particular order."""
    return [data_of(each) for each in figure.findobj(lambda each: bool(data_of(each)))]


def mark_legend(legend: Legend) -> None:
    """Marks the keys of a legend, so that a click hides and shows their series."""
    for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
        for part in (handle, text):
            if part is not None:
                mark(part, key=text.get_text())


def mark_panels(figure: Figure) -> None:
    """Marks the panels of a figure with their titles, labels and scales."""
    for panel in figure.axes:
        data: Data = {"panel": panel.get_title(loc="left") or panel.get_title()}
        for axis in "xy":
            data[f"{axis}label"] = " ".join(_label(figure, panel, axis).split())
            data[f"{axis}lim"] = list(getattr(panel, f"get_{axis}lim")())
            data[f"{axis}scale"] = getattr(panel, f"get_{axis}scale")()
        mark(panel, **data)


def with_attributes(svg: str) -> str:
    """Turns the ids that `mark` made into attributes and titles.

    Args:
      svg: as written by matplotlib.
    """
    return re.sub(rf'<g id="{PREFIX}([^"]*)">', lambda found: _group(unquote(found[1])), svg)


def _group(text: str) -> str:
    data = json.loads(text)
    attributes = " ".join(
        f'data-{name}="{html.escape(json.dumps(value, ensure_ascii=False), quote=True)}"'
        for name, value in data.items()
    )
    title = f"<title>{html.escape(_title(data))}</title>" if "series" in data else ""
    return f"<g {attributes}>{title}"


def _title(data: Data) -> str:
    """The series, the run or what it is, and the values if they are few."""
    run, seed, note = (data.get(name, "") for name in ("run", "seed", "note"))
    about = f"seed {seed}, run {run}" if isinstance(run, str) and run else ""
    words = [", ".join(data["series"]), about or (note if isinstance(note, str) else "")]
    values = data.get(data.get("value", "y"), [])
    if 0 < len(values) <= TITLED:
        places = data.get("at") or data["y" if data.get("value") == "x" else "x"]
        words.append(", ".join(f"{at}: {value}" for at, value in zip(places, values, strict=True)))
    return "; ".join(filter(None, words))


def _label(figure: Figure, panel: Any, axis: str) -> str:
    # Of panels that share an axis, one has the label.
    own = getattr(panel, f"get_{axis}label")()
    return own or next(filter(None, (getattr(p, f"get_{axis}label")() for p in figure.axes)), "")


def _plain(value: Any) -> Any:
    """A value as JSON; numbers that are not finite become null."""
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Iterable):
        return [_plain(each) for each in value]
    number = float(value)
    return float(f"{number:.{DIGITS}g}") if math.isfinite(number) else None
