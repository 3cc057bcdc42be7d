"""What the command palette lists: places to go, saved views, questions asked before."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor
from chadan.recall import services
from chadan.recall.on_list import SHOWN, link
from chadan.recall.suggestions import suggested
from chadan.saved_views import services as saved_views
from chadan.saved_views.on_list import link as view_link
from chadan.web.context import capacity_kind
from chadan.web.nav import navigation
from chadan.web.orders.areas import area_of


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the palette; `words` are what it is also found by."""

    text: str
    url: str
    icon: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of one sort under a heading."""

    title: str
    lines: list[Item]


def groups(actor: Actor) -> list[Group]:
    """Everything the actor can go to from the palette; a sort without lines is left out. Three statements."""
    area = area_of(actor)
    places = [
        *(
            Item(one.label, one.url, one.icon, one.url)
            for one in navigation(capacity_kind(actor), "", actor.permissions)
        ),
        Item(_("Saved views"), f"{area.path}/views", "bookmark", "views"),
        Item(_("Recent searches"), "/recall", "history", "recall"),
        Item(_("Account"), "/account", "circle-user-round", "account"),
    ]
    sides = dict(area.views)
    views = [
        Item(f"{sides[one.side]} · {one.name}" if one.side in sides else one.name, view_link(area, one), "bookmark")
        for one in saved_views.held(actor).views
    ]
    asked = [Item(one.text, link(area, one.text), "history") for one in services.recent(actor, SHOWN)]
    ideas = [Item(text, link(area, text), "lightbulb") for text in suggested(actor)]
    found = (
        Group(_("Go to"), places),
        Group(_("Saved views"), views),
        Group(_("Recent searches"), asked),
        Group(_("Try asking"), ideas),
    )
    return [group for group in found if group.lines]
