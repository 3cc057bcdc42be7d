"""Tags and notes on many orders of one shop at once: few statements for a chunk, still one event for each order.

`remarks` does the same to one order. The caller has checked who acts, and works in short transactions: all orders of a chunk stay
locked until its end. Numbers that are not the shop's are left out, never an error: the caller says what became of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chadan.orders import events
from chadan.platform.scope import Session
from chadan.search.compiler_aggregate import MONEY

_OURS = "order_no = any(%(numbers)s::bigint[]) and home = %(home)s and merchant_id = %(merchant_id)s"
_LOCK = f"select order_no from orders where {_OURS} order by order_no for update"
_HELD = f"""
select o.order_no, {MONEY}, exists (
    select 1 from order_tags t where t.order_no = o.order_no and t.home = o.home and t.tag_id = %(tag_id)s)
from orders o where {_OURS}
"""
_ADD_TAG = """
insert into order_tags (order_no, home, tag_id, author_id, created_at)
select n, %(home)s, %(tag_id)s, %(author_id)s, now() from unnest(%(numbers)s::bigint[]) n
on conflict do nothing returning order_no
"""
# What a rule put on and a person puts on as well is the person's from then on: no rule takes it off.
_KEEP_TAG = """
update order_tags set rule_id = null, author_id = %(author_id)s
where order_no = any(%(numbers)s::bigint[]) and home = %(home)s and tag_id = %(tag_id)s and rule_id is not null
"""
_REMOVE_TAG = """
delete from order_tags where order_no = any(%(numbers)s::bigint[]) and home = %(home)s and tag_id = %(tag_id)s
returning order_no, author_id, created_at
"""
# The row of that very moment: a tag taken off and put back since is another row, and somebody's own.
_TAKE_BACK_TAG = """
delete from order_tags t using unnest(%(numbers)s::bigint[], %(moments)s::timestamptz[]) g (order_no, at)
where t.order_no = g.order_no and t.order_no = any(%(numbers)s::bigint[]) and t.home = %(home)s and t.tag_id = %(tag_id)s
  and t.created_at = g.at
returning t.order_no
"""
_PUT_BACK_TAG = """
insert into order_tags (order_no, home, tag_id, author_id, created_at)
select g.order_no, %(home)s, %(tag_id)s, g.author_id, g.at
from unnest(%(numbers)s::bigint[], %(authors)s::bigint[], %(moments)s::timestamptz[], %(seqs)s::integer[])
     g (order_no, author_id, at, seq)
where not exists (
    select 1 from order_events e
    where e.order_no = g.order_no and e.home = %(home)s and e.order_seq > g.seq and e.type in ('tag.added', 'tag.removed')
      and coalesce(e.biz ->> 'tag_id' = %(tag_id)s::integer::text, e.biz ->> 'tag' = %(tag)s))
on conflict do nothing returning order_no
"""
_COPY_TAGS = """
update orders o set tags = (
    select array_agg(t.tag_id order by t.tag_id) from order_tags t where t.order_no = o.order_no and t.home = o.home)
where o.order_no = any(%(numbers)s::bigint[]) and o.home = %(home)s
"""
_ADD_NOTE = """
insert into order_notes (order_no, home, seq, author_id, author, internal, body, created_at)
select g.n, %(home)s,
       (select coalesce(max(x.seq), 0) + 1 from order_notes x where x.order_no = g.n and x.home = %(home)s),
       %(author_id)s, %(author)s, %(internal)s, %(body)s, now()
from unnest(%(numbers)s::bigint[]) g (n)
returning order_no, seq
"""
_ADD_TO_COPY = """
update orders set note = concat_ws(E'\\n', note, %(body)s::text) where order_no = any(%(numbers)s::bigint[]) and home = %(home)s
"""
_TAKE_BACK_NOTE = """
delete from order_notes x
using unnest(%(numbers)s::bigint[], %(seqs)s::integer[], %(moments)s::timestamptz[]) g (order_no, seq, at)
where x.order_no = g.order_no and x.order_no = any(%(numbers)s::bigint[]) and x.home = %(home)s and x.seq = g.seq
  and x.created_at = g.at
returning x.order_no
"""
_COPY_NOTES = """
update orders o set note = (
    select string_agg(x.body, E'\\n' order by x.seq) from order_notes x where x.order_no = o.order_no and x.home = o.home)
where o.order_no = any(%(numbers)s::bigint[]) and o.home = %(home)s
"""


@dataclass(frozen=True, slots=True)
class Shop:
    """Whose orders, and who acts for it: the actor as events name it, and what its doings name as their cause."""

    merchant_id: int
    home: int
    user_id: int
    name: str
    actor: Mapping[str, Any]
    cause: str


@dataclass(frozen=True, slots=True)
class Label:
    """A tag of the shop."""

    tag_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Done:
    """What was done to one order: its event's place there, a note's own, the tag's author and time that went."""

    order_no: int
    seq: int | None = None
    author_id: int | None = None
    at: datetime | None = None


def lock(session: Session, shop: Shop, numbers: Sequence[int]) -> list[int]:
    """Locks those of the numbers that are the shop's, lowest first, so that two who want the same never wait crosswise."""
    return [row[0] for row in session.rows(_LOCK, _given(shop, numbers))]


def held(session: Session, shop: Shop, numbers: Sequence[int], tag_id: int = 0) -> dict[int, tuple[int, bool]]:
    """(money in fen as the compiler counts it, whether the tag is on it) of those numbers that are the shop's."""
    rows = session.rows(_HELD, {**_given(shop, numbers), "tag_id": tag_id})
    return {number: (money, tagged) for number, money, tagged in rows}


def add_tag(session: Session, shop: Shop, numbers: Sequence[int], label: Label) -> list[Done]:
    """Tags locked orders; those that were not tagged before, each with its `tag.added` event."""
    values = {**_given(shop, numbers), "tag_id": label.tag_id, "author_id": shop.user_id}
    session.run(_KEEP_TAG, values)
    added = [row[0] for row in session.rows(_ADD_TAG, values)]
    return [Done(number, seq) for number, seq in _tag_events(session, shop, added, label, "tag.added").items()]


def remove_tag(session: Session, shop: Shop, numbers: Sequence[int], label: Label) -> list[Done]:
    """Takes the tag off locked orders; those that had it, each with its `tag.removed` event and who had put it there when."""
    rows = session.rows(_REMOVE_TAG, {**_given(shop, numbers), "tag_id": label.tag_id})
    seqs = _tag_events(session, shop, [row[0] for row in rows], label, "tag.removed")
    return [Done(number, seqs[number], author_id, at) for number, author_id, at in rows]


def take_back_tag(session: Session, shop: Shop, given: Mapping[int, datetime], label: Label) -> set[int]:
    """Undoes `add_tag` of the given moments where the tag is still the one put there then."""
    values = {**_given(shop, list(given)), "tag_id": label.tag_id, "moments": list(given.values())}
    gone = [row[0] for row in session.rows(_TAKE_BACK_TAG, values)]
    return set(_tag_events(session, shop, gone, label, "tag.removed"))


def put_back_tag(session: Session, shop: Shop, given: Sequence[Done], label: Label) -> set[int]:
    """Undoes `remove_tag`, author and time included, where nobody touched the tag since."""
    values = {
        **_given(shop, [one.order_no for one in given]),
        "tag_id": label.tag_id,
        "tag": label.name,
        "authors": [one.author_id for one in given],
        "moments": [one.at for one in given],
        "seqs": [one.seq for one in given],
    }
    back = [row[0] for row in session.rows(_PUT_BACK_TAG, values)]
    return set(_tag_events(session, shop, back, label, "tag.added"))


def add_note(session: Session, shop: Shop, numbers: Sequence[int], body: str, *, internal: bool) -> list[Done]:
    """Adds a note to locked orders, each with its `note.added` event; `seq` is the note's."""
    values = {
        **_given(shop, numbers),
        "author_id": shop.user_id,
        "author": shop.name,
        "internal": internal,
        "body": body,
    }
    rows = session.rows(_ADD_NOTE, values)
    session.run(_ADD_TO_COPY, values)
    _tell(session, shop, [row[0] for row in rows], "note.added", {"internal": internal})
    return [Done(number, seq) for number, seq in rows]


def take_back_note(session: Session, shop: Shop, given: Sequence[Done], body: str, *, internal: bool) -> set[int]:
    """Removes notes that `add_note` wrote; what they said stays on record in a `note.removed` event."""
    numbers = [one.order_no for one in given]
    values = {
        **_given(shop, numbers),
        "seqs": [one.seq for one in given],
        "moments": [one.at for one in given],
    }
    gone = [row[0] for row in session.rows(_TAKE_BACK_NOTE, values)]
    if gone:
        session.run(_COPY_NOTES, _given(shop, gone))
        _tell(session, shop, gone, "note.removed", {"internal": internal}, {"note": body})
    return set(gone)


def _tag_events(session: Session, shop: Shop, numbers: list[int], label: Label, event_type: str) -> dict[int, int]:
    if not numbers:
        return {}
    session.run(_COPY_TAGS, _given(shop, numbers))
    return _tell(session, shop, numbers, event_type, {"tag": label.name, "tag_id": label.tag_id})


def _tell(  # noqa: PLR0917 - an event has its parts
    session: Session,
    shop: Shop,
    numbers: Sequence[int],
    event_type: str,
    biz: Mapping[str, Any],
    per: Mapping[str, Any] | None = None,
) -> dict[int, int]:
    return events.append_many(session, shop.home, numbers, event_type, shop.actor, {**biz, "cause": shop.cause}, per)


def _given(shop: Shop, numbers: Sequence[int]) -> dict[str, Any]:
    return {"numbers": list(numbers), "home": shop.home, "merchant_id": shop.merchant_id}
