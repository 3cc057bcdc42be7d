"""What staff write on orders: notes and tags. The order row keeps a copy for searching, in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.catalog.models import Tag
from chadan.orders import events, number
from chadan.orders.tags import Shop, claim
from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound
from chadan.platform.scope import Session, scoped

NOTE_LENGTH = 2000
TAG_LENGTH = 30

_LOCK = "select merchant_id, tags from orders where order_no = %s and home = %s for update"
_ADD_NOTE = """
insert into order_notes (order_no, home, seq, author_id, author, internal, body)
select %(order_no)s, %(home)s, coalesce(max(seq), 0) + 1, %(author_id)s, %(author)s, %(internal)s, %(body)s
from order_notes where order_no = %(order_no)s and home = %(home)s
"""
_COPY_NOTE = "update orders set note = concat_ws(E'\\n', note, %s::text) where order_no = %s and home = %s"
_ADD_TAG = """
insert into order_tags (order_no, home, tag_id, author_id) values (%s, %s, %s, %s) on conflict do nothing
"""
# What a rule put on and a person puts on as well is the person's from then on: no rule takes it off.
_KEEP_TAG = """
update order_tags set rule_id = null, author_id = %s where order_no = %s and home = %s and tag_id = %s and rule_id is not null
"""
_REMOVE_TAG = "delete from order_tags where order_no = %s and home = %s and tag_id = %s"
_COPY_TAGS = """
update orders set tags = nullif((
    select coalesce(array_agg(tag_id order by tag_id), '{}') from order_tags
    where order_no = %(order_no)s and home = %(home)s), '{}')
where order_no = %(order_no)s and home = %(home)s
"""


def add_note(actor: Actor, order_no: int, body: str, *, internal: bool = True) -> None:
    """Adds a note; `internal=False` shows it to the buyer. Raises NotFound, Forbidden or InvalidInput."""
    actor.require(Permission.NOTE)
    body = check_note(body)
    key = _key(order_no)
    with scoped(actor.scope) as session:
        _lock(session, actor, key)
        fields = {
            "order_no": key[0],
            "home": key[1],
            "author_id": actor.user_id,
            "author": actor.name,
            "internal": internal,
            "body": body,
        }
        session.run(_ADD_NOTE, fields)
        session.run(_COPY_NOTE, (body, *key))
        events.append(session, order_no, "note.added", events.actor_json(actor), {"internal": internal})


def check_note(body: str) -> str:
    """The note as it will be kept. Raises InvalidInput when it is empty or too long."""
    return _clean(body, NOTE_LENGTH, "body")


def check_tag(name: str) -> str:
    """The tag's name as it will be kept. Raises InvalidInput when it is empty or too long."""
    return _clean(name, TAG_LENGTH, "tag")


def add_tag(actor: Actor, order_nos: Sequence[int], name: str, colour: str = "grey") -> int:
    """Tags orders of the actor's merchant, making the tag if it is new; returns how many were not tagged before.

    Raises NotFound when any of them is not the merchant's: then none is tagged; Conflict while the tag is being deleted.
    """
    actor.require(Permission.TAG)
    if actor.merchant_id is None or actor.home is None:
        raise Forbidden(_("Tags belong to a shop."), hint=_("Switch to the shop whose orders you want to tag."))
    name = check_tag(name)
    added = 0
    with scoped(actor.scope) as session:
        tag, _made = Tag.objects.get_or_create(
            merchant_id=actor.merchant_id,
            name_key=name.casefold(),
            defaults={"name": name, "home": actor.home, "colour": colour},
        )
        tag = _usable(session, tag)
        for order_no in sorted(order_nos):
            key = _key(order_no)
            _lock(session, actor, key)
            if session.run(_ADD_TAG, (*key, tag.pk, actor.user_id)):
                added += 1
                _record_tag(session, actor, key, tag, "tag.added")
            else:
                session.run(_KEEP_TAG, (actor.user_id, *key, tag.pk))
    return added


def _usable(session: Session, tag: Tag) -> Tag:
    """The tag, held so that nobody begins to merge or delete it before this transaction ends; or what it was merged into."""
    shop = Shop(tag.merchant_id, tag.home)
    if claim(session, shop, [tag.pk]):
        return tag
    tag.refresh_from_db()
    if tag.into is None or not claim(session, shop, [tag.into.pk]):
        raise Conflict(_("This tag is just being deleted."), hint=_("Try again in a moment."))
    return tag.into


def remove_tag(actor: Actor, order_no: int, tag_id: int) -> None:
    """Takes a tag off an order; nothing happens when it is not there. Raises NotFound."""
    actor.require(Permission.TAG)
    key = _key(order_no)
    with scoped(actor.scope) as session:
        _lock(session, actor, key)
        tag = Tag.objects.filter(pk=tag_id).first()
        if tag is not None and tag.merchant_id == actor.merchant_id and session.run(_REMOVE_TAG, (*key, tag.pk)):
            _record_tag(session, actor, key, tag, "tag.removed")


def tags_of(actor: Actor) -> list[Tag]:
    """The tags of the actor's merchant, by name."""
    return list(Tag.objects.filter(merchant_id=actor.merchant_id).order_by("name_key")) if actor.merchant_id else []


def _record_tag(session: Session, actor: Actor, key: tuple[int, int], tag: Tag, event_type: str) -> None:
    session.run(_COPY_TAGS, {"order_no": key[0], "home": key[1]})
    events.append(session, key[0], event_type, events.actor_json(actor), {"tag": tag.name, "tag_id": tag.pk})


def _lock(session: Session, actor: Actor, key: tuple[int, int]) -> None:
    """Locks the order row; raises NotFound unless the actor's own merchant (or the operator) holds it."""
    rows = session.rows(_LOCK, key)
    if not rows or (actor.merchant_id is not None and rows[0][0] != actor.merchant_id):
        raise NotFound(_("There is no such order."))


def _key(order_no: int) -> tuple[int, int]:
    if not number.is_valid(order_no):
        raise NotFound(_("There is no such order."))
    return order_no, number.split(order_no).home


def _clean(text: str, most: int, field: str) -> str:
    text = text.replace("\x00", "").strip()
    if not text:
        raise InvalidInput(_("Write something first."), field=field)
    if len(text) > most:
        raise InvalidInput(_("That is too long: at most %(most)d characters.") % {"most": most}, field=field)
    return text
