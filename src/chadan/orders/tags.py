"""Tags put on many orders by rules and jobs: one statement an order, its event in the same transaction.

What a person does to one order stands in `orders.remarks`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from chadan.orders import number
from chadan.platform.scope import Session

CHUNK = 200
"""Statements sent in one round trip."""
_HELD = """
with held as (
    select 1 from orders where order_no = %(order_no)s and home = %(home)s and merchant_id = %(merchant_id)s for update
), """
_EVENT = """
insert into order_events (order_no, home, order_seq, merchant_id, at, type, actor, biz, per, biz_salt, per_salt)
select order_no, home, event_seq, merchant_id, clock_timestamp(), %(type)s, %(actor)s::jsonb, %(biz)s::jsonb, '{}',
       %(biz_salt)s, %(per_salt)s
from moved returning order_no
"""
_PUT = f"""{_HELD}put as (
    insert into order_tags (order_no, home, tag_id, author_id, rule_id)
    select %(order_no)s, %(home)s, %(tag_id)s, %(author_id)s, %(rule_id)s from held on conflict do nothing returning 1
), moved as (
    update orders set tags = uniq(sort(coalesce(tags, '{{}}') + %(tag_id)s::integer)), event_seq = event_seq + 1,
                      updated_at = now()
    where order_no = %(order_no)s and home = %(home)s and exists (select 1 from put)
    returning order_no, home, merchant_id, event_seq
){_EVENT}"""
_TAKE = f"""{_HELD}gone as (
    delete from order_tags where order_no = %(order_no)s and home = %(home)s and tag_id = %(tag_id)s
        and (%(rule_id)s::bigint is null or rule_id = %(rule_id)s) and exists (select 1 from held)
    returning 1
), moved as (
    update orders set tags = nullif(coalesce(tags, '{{}}') - %(tag_id)s::integer, '{{}}'), event_seq = event_seq + 1,
                      updated_at = now()
    where order_no = %(order_no)s and home = %(home)s and exists (select 1 from gone)
    returning order_no, home, merchant_id, event_seq
){_EVENT}"""
# Where both tags stood and a person put on either, the one that stays is a person's.
_SWAP = f"""{_HELD}gone as (
    delete from order_tags where order_no = %(order_no)s and home = %(home)s and tag_id = %(tag_id)s
        and exists (select 1 from held)
    returning author_id, rule_id
), put as (
    insert into order_tags (order_no, home, tag_id, author_id, rule_id)
    select %(order_no)s, %(home)s, %(into_id)s, author_id, rule_id from gone
    on conflict (order_no, home, tag_id) do update set rule_id = null
        where excluded.rule_id is null and order_tags.rule_id is not null
), moved as (
    update orders set tags = uniq(sort((coalesce(tags, '{{}}') - %(tag_id)s::integer) + %(into_id)s::integer)),
                      event_seq = event_seq + 1, updated_at = now()
    where order_no = %(order_no)s and home = %(home)s and exists (select 1 from gone)
    returning order_no, home, merchant_id, event_seq
){_EVENT}"""
_ON = """
select order_no, tag_id, rule_id from order_tags
where order_no = any(%s::bigint[]) and home = %s and tag_id = any(%s::integer[])
"""
_CLAIM = "select id, leaving from tags where merchant_id = %s and id = any(%s::integer[]) order by id for share"


class TagRef(NamedTuple):
    """A tag of a merchant, as statements and events name it."""

    id: int
    name: str


class Shop(NamedTuple):
    """Whose orders are tagged."""

    merchant_id: int
    home: int


class Change(NamedTuple):
    """A tag put on an order, or taken off it, by a rule (None: whoever the actor is, whatever put it there)."""

    order_no: int
    tag: TagRef
    rule_id: int | None = None


def claim(session: Session, shop: Shop, tag_ids: Iterable[int]) -> set[int]:
    """Which of the shop's tags may be put on orders; they stay so until the transaction ends: a merge or delete waits for it."""
    return {row[0] for row in session.rows(_CLAIM, (shop.merchant_id, sorted(tag_ids))) if not row[1]}


def put(session: Session, shop: Shop, changes: Sequence[Change], actor: Mapping[str, Any]) -> list[Change]:
    """Puts tags on orders of the shop, each with a `tag.added` event; returns those that were not there before."""
    return _each(session, shop, _PUT, "tag.added", changes, actor)


def take(session: Session, shop: Shop, changes: Sequence[Change], actor: Mapping[str, Any]) -> list[Change]:
    """Takes tags off orders, each with a `tag.removed` event; with a rule, only what that rule put on. Returns what went."""
    return _each(session, shop, _TAKE, "tag.removed", changes, actor)


def swap(
    session: Session, shop: Shop, changes: Sequence[Change], into: TagRef, actor: Mapping[str, Any]
) -> list[Change]:
    """Gives orders `into` instead of their tag, each with a `tag.merged` event; returns what changed."""
    return _each(session, shop, _SWAP, "tag.merged", changes, actor, into)


def tags_on(
    session: Session, shop: Shop, numbers: Sequence[int], tag_ids: Iterable[int]
) -> dict[tuple[int, int], int | None]:
    """Which of the tags the orders bear: (order, tag) to the rule that put it there, None for a person."""
    rows = session.rows(_ON, (list(numbers), shop.home, sorted(tag_ids)))
    return {(order_no, tag_id): rule_id for order_no, tag_id, rule_id in rows}


def _each(  # noqa: PLR0917 - a statement, and what it says of its event
    session: Session,
    shop: Shop,
    sql: str,
    kind: str,
    changes: Sequence[Change],
    actor: Mapping[str, Any],
    into: TagRef | None = None,
) -> list[Change]:
    """Runs the statement for every change, in the order of the numbers: two that work on the same orders never wait in a ring."""
    said = json.dumps(actor, ensure_ascii=False)
    done: list[Change] = []
    ordered = iter(sorted(changes))
    while chunk := list(islice(ordered, CHUNK)):
        statements = [(sql, _params(shop, kind, change, said, actor.get("id"), into)) for change in chunk]
        answers: Iterator[list[Any]] = iter(session.many(statements))
        done += [change for change, rows in zip(chunk, answers, strict=True) if rows]
    return done


def _params(  # noqa: PLR0917 - an event has six parts
    shop: Shop, kind: str, change: Change, actor: str, author_id: int | None, into: TagRef | None
) -> dict[str, Any]:
    named = into or change.tag
    fact: dict[str, Any] = {"order_no": number.text(change.order_no), "tag": named.name, "tag_id": named.id}
    if into is not None:
        fact["from"] = change.tag.name
    if change.rule_id is not None:
        fact["rule"] = change.rule_id
    return {
        "order_no": change.order_no,
        "home": shop.home,
        "merchant_id": shop.merchant_id,
        "tag_id": change.tag.id,
        "author_id": author_id,
        "rule_id": change.rule_id,
        **({"into_id": into.id} if into else {}),
        "type": kind,
        "actor": actor,
        "biz": json.dumps(fact, ensure_ascii=False),
        "biz_salt": secrets.token_bytes(32),
        "per_salt": secrets.token_bytes(32),
    }
