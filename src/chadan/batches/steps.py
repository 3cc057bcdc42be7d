"""What a batch does to its orders: a chunk at once where few statements do, one order at a time where jobs and money are caused."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor
from chadan.batches import freezing
from chadan.batches.actions import Action
from chadan.batches.models import Batch
from chadan.batches.rows import Outcome, RowState, Waiting
from chadan.catalog.models import Tag
from chadan.delivery import manual
from chadan.orders import many, tags
from chadan.orders.events import actor_json
from chadan.orders.many import Done, Label
from chadan.payments import refunds
from chadan.platform.errors import ChadanError
from chadan.platform.scope import Session, scoped

TOGETHER = frozenset({Action.TAG, Action.UNTAG, Action.NOTE})
"""Actions that take a whole chunk in one transaction."""


class Left(ChadanError):
    """The order is left as it is; the message is a code of `reasons`."""

    code = "left"


def ready(batch: Batch) -> None:
    """What has to be there before the first order: the tag."""
    if batch.action != Action.TAG or "tag_id" in batch.params:
        return
    name = batch.params["tag"]
    tag, _made = Tag.objects.get_or_create(
        merchant_id=batch.merchant_id,
        name_key=name.casefold(),
        defaults={"name": name, "home": batch.home, "colour": "grey"},
    )
    batch.params = {**batch.params, "tag_id": tag.pk}
    batch.save(update_fields=["params"])


def together(session: Session, batch: Batch, actor: Actor, waiting: Sequence[Waiting]) -> list[Outcome]:
    """Does a chunk of tags or notes; what became of each order."""
    shop = freezing.shop_of(batch, actor)
    ours = many.lock(session, shop, [one.order_no for one in waiting])
    outcomes = [
        Outcome(one.order_no, RowState.SKIPPED, "not_found") for one in waiting if one.order_no not in set(ours)
    ]
    if batch.action == Action.NOTE:
        internal = bool(batch.params["internal"])
        done = many.add_note(session, shop, ours, batch.params["note"], internal=internal)
        reason = ""
    else:
        label = freezing.label_of(batch)
        if label is None or (batch.action == Action.TAG and not _stays(session, batch, label)):
            return outcomes + [Outcome(one, RowState.SKIPPED, "tag_gone") for one in ours]
        change = many.add_tag if batch.action == Action.TAG else many.remove_tag
        done, reason = change(session, shop, ours, label), "has_tag" if batch.action == Action.TAG else "no_tag"
    changed = {one.order_no: one for one in done}
    return outcomes + [_outcome(one, changed.get(one), reason) for one in ours]


def _outcome(order_no: int, done: Done | None, reason: str) -> Outcome:
    if done is None:
        return Outcome(order_no, RowState.SKIPPED, reason)
    return Outcome(order_no, RowState.DONE, done=done)


def alone(batch: Batch, actor: Actor, one: Waiting) -> None:
    """Does one order through the service that does it from the order's own page, in the caller's transaction.

    Raises Left with the reason's code, or what the service raises.
    """
    with scoped(actor.scope) as session:
        many.lock(session, freezing.shop_of(batch, actor), [one.order_no])
        [(_number, reason, amount)] = freezing.standing(session, batch, actor, [one.order_no])
        if reason:
            raise Left(reason)
        if batch.action == Action.RETRY:
            manual.retry(actor, one.order_no, batch.cause)
        elif batch.action == Action.DELIVER:
            manual.by_hand(actor, one.order_no, "", batch.cause)
        elif batch.action == Action.REFUND:
            if amount != one.amount:
                raise Left("amount_changed")
            reason = batch.params["reason"]
            refunds.request(session, one.order_no, amount, reason, actor_json(actor), cause=batch.cause)
        else:
            raise ValueError(f"{batch.action} does nothing to one order")


def taken_back(session: Session, batch: Batch, actor: Actor, waiting: Sequence[Waiting]) -> list[Outcome]:
    """Undoes a chunk, where nobody changed it since; what became of each order."""
    shop = freezing.shop_of(batch, actor)
    ours = set(many.lock(session, shop, [one.order_no for one in waiting]))
    given = [one.done for one in waiting if one.order_no in ours]
    back, reason = _back(session, batch, shop, given)
    return [
        Outcome(one.order_no, RowState.UNDONE)
        if one.order_no in back
        else Outcome(one.order_no, RowState.KEPT, reason if one.order_no in ours else "not_found")
        for one in waiting
    ]


def _back(session: Session, batch: Batch, shop: many.Shop, given: Sequence[Done]) -> tuple[set[int], str]:
    if batch.action == Action.NOTE:
        internal = bool(batch.params["internal"])
        return many.take_back_note(session, shop, given, batch.params["note"], internal=internal), "changed_since"
    label: Label | None = freezing.label_of(batch)
    if label is None:
        return set(), "tag_gone"
    if batch.action == Action.TAG:
        return many.take_back_tag(
            session, shop, {one.order_no: one.at for one in given if one.at}, label
        ), "changed_since"
    if not _stays(session, batch, label):
        return set(), "tag_gone"
    return many.put_back_tag(session, shop, given, label), "changed_since"


def _stays(session: Session, batch: Batch, label: Label) -> bool:
    """Whether the tag may be put on orders; nobody begins to merge or delete it before this transaction ends."""
    return bool(tags.claim(session, tags.Shop(batch.merchant_id, batch.home), [label.tag_id]))


def words(error: ChadanError) -> str:
    """Why one order was left, as its row keeps it: a code or a sentence."""
    return error.message if isinstance(error, Left) else str(error)


def gone() -> str:
    """What is said when whoever confirmed may not do it any more."""
    return _("Whoever confirmed this batch may not do it any more.")
