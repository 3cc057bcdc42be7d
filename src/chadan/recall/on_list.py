"""What the search box of an order list offers: the questions asked before, and some worth asking."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from chadan.accounts.actors import Actor
from chadan.recall import services
from chadan.recall.suggestions import suggested
from chadan.web.orders.areas import Area

SHOWN = 10


def offers(area: Area, actor: Actor, view: str | None = None) -> dict[str, Any]:
    """What `components/search.html` shows beside the box: `recent` of {pk, text, url}, `suggested` of {text, url}.

    `view` is the side of the list the box stands on.
    """
    return {
        "recent": [
            {"pk": one.pk, "text": one.text, "url": link(area, one.text, view)} for one in services.recent(actor, SHOWN)
        ],
        "suggested": [{"text": text, "url": link(area, text, view)} for text in suggested(actor)],
    }


def link(area: Area, text: str, view: str | None = None) -> str:
    """The list that answers a text."""
    return f"{area.path}?{urlencode([*([('view', view)] if view else []), ('q', text)])}"
