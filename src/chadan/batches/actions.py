"""What can be done to many orders at once: who may, what it asks for, whether it can be undone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chadan.accounts.actors import Actor, Permission
from chadan.platform.errors import Forbidden, InvalidInput


class Action(StrEnum):
    """One thing a batch does."""

    TAG = "tag"
    UNTAG = "untag"
    NOTE = "note"
    RETRY = "retry"
    DELIVER = "deliver"
    REFUND = "refund"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Kind:
    """What an action is: its words, the permission it takes, the texts it asks for, and how serious it is.

    `doing` is what happens to each order, said in the preview; `typed`: it moves goods or money, so the number of orders is typed
    before it runs; `undoable`: it has an exact inverse.
    """

    label: Promise
    doing: Promise
    permission: Permission
    icon: str
    asks: tuple[str, ...] = ()
    typed: bool = False
    undoable: bool = False
    nothing: Promise | str = ""


KINDS: dict[Action, Kind] = {
    Action.TAG: Kind(
        gettext_lazy("Add tag"),
        gettext_lazy("Each order gets the tag."),
        Permission.TAG,
        "tag",
        asks=("tag",),
        undoable=True,
    ),
    Action.UNTAG: Kind(
        gettext_lazy("Remove tag"),
        gettext_lazy("The tag is taken off each order."),
        Permission.TAG,
        "tag",
        asks=("tag",),
        undoable=True,
    ),
    Action.NOTE: Kind(
        gettext_lazy("Add note"),
        gettext_lazy("Each order gets the note."),
        Permission.NOTE,
        "notebook-pen",
        asks=("note",),
        undoable=True,
    ),
    Action.RETRY: Kind(
        gettext_lazy("Retry delivery"),
        gettext_lazy("The delivery of each order is tried again; a failed order goes back to processing."),
        Permission.DELIVER,
        "refresh-cw",
    ),
    Action.DELIVER: Kind(
        gettext_lazy("Mark delivered"),
        gettext_lazy("Each order becomes delivered; its money is released when the time in escrow is over."),
        Permission.DELIVER,
        "truck",
        typed=True,
    ),
    Action.REFUND: Kind(
        gettext_lazy("Refund"),
        gettext_lazy("What each order still holds goes back to the buyer, through the refund queue."),
        Permission.REFUND,
        "undo-2",
        asks=("reason",),
        typed=True,
    ),
    Action.EXPORT: Kind(
        gettext_lazy("Export"),
        gettext_lazy("Exactly these orders go into one file."),
        Permission.EXPORT,
        "file-down",
    ),
}


def action_named(name: str) -> Action:
    """The action a form or a call names. Raises InvalidInput."""
    try:
        return Action(name)
    except ValueError as error:
        raise InvalidInput(_("Choose what to do with the orders."), field="action") from error


def require(actor: Actor, action: Action) -> tuple[int, int]:
    """The shop the actor acts for, and its home. Raises Forbidden unless it is staff of a shop and may do this."""
    actor.require(KINDS[action].permission)
    if actor.merchant_id is None or actor.home is None:
        raise Forbidden(_("Batch actions belong to a shop."), hint=_("Switch to the shop whose orders you mean."))
    return actor.merchant_id, actor.home


def open_to(actor: Actor) -> list[Action]:
    """What the actor may do to many orders; nothing outside a shop."""
    if actor.merchant_id is None:
        return []
    return [action for action in Action if actor.may(KINDS[action].permission)]
