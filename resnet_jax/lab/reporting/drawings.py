"""Figures as elements of a page."""

import re
from pathlib import Path

from markupsafe import Markup

from resnet_jax.lab.figures.base import narrow


def drawing(svg: Path, name: str) -> Markup:
    """Returns a figure as an element that shows its panels side by side, or below each other.

    `templates/figures.css` chooses by the width of the page; `templates/figures.js` shows values,
    seeds and runs, and hides series.

    Args:
      svg: the file, as returned by `figures.draw_all`.
      name: unique in the page.
    """
    parts = [("wide", inline(svg, name))]
    if narrow(svg).exists():
        parts.append(("narrow", inline(narrow(svg), f"{name}-narrow")))
    else:
        parts = [("only", parts[0][1])]
    return Markup("").join(
        Markup('<div class="drawing {}">{}</div>').format(kind, part) for kind, part in parts
    )


def inline(svg: Path, name: str) -> Markup:
    """Returns an SVG file as an element of a page; ids are prefixed with a name to be unique.

    The background becomes transparent.
    """
    text = svg.read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = text.replace("fill: #ffffff", "fill: none", 1)  # the first is the background
    # The width becomes a maximum: figures shrink on a narrow page (the viewBox keeps their
    # proportions), and have text of the same size on a wide one.
    text = re.sub(
        r'^<svg\b([^>]*?) width="([^"]*)"', r'<svg\1 style="width: 100%; max-width: \2"', text
    )
    text = re.sub(r'^<svg\b([^>]*?) height="[^"]*"', r"<svg\1", text)
    return Markup(text)
