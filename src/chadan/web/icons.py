"""Inline SVG icons from the `lucide` wheel: no request, no font, coloured by the text around them."""

from __future__ import annotations

from functools import cache

from lucide.jinja import lucide
from markupsafe import Markup


@cache
def icon(name: str, size: int = 16) -> Markup:
    """The icon `name` (lucide's names, e.g. "search"), `size` CSS pixels square, hidden from screen readers.

    Raises lucide.IconDoesNotExist for a name lucide does not know.
    """
    svg = lucide(name, size=size, stroke_width="1.75", aria_hidden="true", focusable="false")
    return Markup("".join(line.strip() for line in str(svg).splitlines()))  # noqa: S704 - lucide's own markup
