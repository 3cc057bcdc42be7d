"""Freezing: every order a batch is about is written down, with what it is worth and why it can not, before anybody confirms."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from chadan.accounts.actors import Actor
from chadan.batches import rows
from chadan.batches.actions import Action
from chadan.batches.models import Batch, State
from chadan.catalog.models import Tag
from chadan.delivery import standing as deliveries
from chadan.orders import many
from chadan.orders.events import actor_json
from chadan.orders.many import Label, Shop
from chadan.payments import standing as refunds
from chadan.platform.scope import Session, scoped
from chadan.search.numbers import numbers_after
from chadan.search.order_query import OrderQuery

CHUNK = 2000
"""Orders written down in one transaction."""


def shop_of(batch: Batch, actor: Actor) -> Shop:
    """The batch's shop, as the order record's statements take it."""
    return Shop(batch.merchant_id, batch.home, actor.user_id, actor.name, actor_json(actor), batch.cause)


def label_of(batch: Batch) -> Label | None:
    """The tag a batch is about, None while (or when no longer) there is none."""
    found = Tag.objects.filter(merchant_id=batch.merchant_id)
    if "tag_id" in batch.params:
        found = found.filter(pk=batch.params["tag_id"])
    tag = (
        found.filter(name_key=batch.params["tag"].casefold()).first() if "tag_id" not in batch.params else found.first()
    )
    if tag is not None and tag.leaving:  # being merged or deleted (tagging.tags)
        tag = tag.into if batch.action == Action.TAG else tag
    return Label(tag.pk, tag.name) if tag else None


def standing(session: Session, batch: Batch, actor: Actor, numbers: Sequence[int]) -> list[tuple[int, str, int]]:
    """(order, the code of why it can not or "", fen) of each number. What is another shop's does not exist."""
    action, given = Action(batch.action), (session, numbers, batch.home, batch.merchant_id)
    if action is Action.REFUND:
        found = refunds.refundable(*given)
    elif action is Action.RETRY:
        found = deliveries.retryable(*given)
    elif action is Action.DELIVER:
        found = deliveries.deliverable(*given)
    else:
        found = _marked(session, batch, actor, numbers)
    return [(one, found[one][1], found[one][0]) if one in found else (one, "not_found", 0) for one in numbers]


def _marked(session: Session, batch: Batch, actor: Actor, numbers: Sequence[int]) -> dict[int, tuple[int, str]]:
    label = label_of(batch) if batch.action in (Action.TAG, Action.UNTAG) else None
    held = many.held(session, shop_of(batch, actor), numbers, label.tag_id if label else 0)
    refused = {Action.TAG: (True, "has_tag"), Action.UNTAG: (False, "no_tag")}.get(Action(batch.action))
    return {
        one: (money, refused[1] if refused is not None and tagged is refused[0] else "")
        for one, (money, tagged) in held.items()
    }


def freeze_numbers(batch: Batch, actor: Actor, numbers: Sequence[int]) -> None:
    """Writes down these orders; the batch's figures grow by what is new."""
    with scoped(actor.scope) as session:
        for start in range(0, len(numbers), CHUNK):
            piece = numbers[start : start + CHUNK]
            found = standing(session, batch, actor, piece)
            total, amount, able, able_amount = rows.freeze(session, batch.pk, batch.merchant_id, found)
            batch.total += total
            batch.amount += amount
            batch.able += able
            batch.able_amount += able_amount
        batch.save(update_fields=["total", "amount", "able", "able_amount"])


def freeze_more(batch: Batch, actor: Actor, seconds: int = 0) -> bool:
    """Writes down the next chunk of what the batch's query means, in one transaction; False when that was the last.

    With `seconds` a statement that takes longer is cancelled (psycopg's QueryCanceled), and nothing of the chunk is written.
    """
    query = OrderQuery.from_dict(batch.query or {})
    with transaction.atomic():
        fresh = Batch.objects.select_for_update().get(pk=batch.pk)
        if fresh.state != State.PREPARING:
            return False
        numbers, place = numbers_after(
            actor.scope, query, batch.view or None, upto=batch.upto, place=fresh.checkpoint, size=CHUNK, seconds=seconds
        )
        freeze_numbers(fresh, actor, numbers)
        fresh.checkpoint = place or {}
        if place is None:
            fresh.state = State.READY
        fresh.save(update_fields=["checkpoint", "state"])
    batch.refresh_from_db()
    return batch.state == State.PREPARING
