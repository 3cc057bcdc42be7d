"""Cards in stock: bringing them in, seeing how many there are, taking them out, finding and showing one.

A card is sealed under the merchant's key before it reaches the database. Its blind index says whether the merchant has ever
known it: such a card is never stocked a second time (unique constraint `stock_cards_known`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.catalog.models import Product
from chadan.delivery import audit
from chadan.delivery.card_lists import Line
from chadan.orders.events import actor_json
from chadan.orders.vault import Vault
from chadan.platform.errors import Forbidden, InvalidInput, NotFound
from chadan.platform.scope import Session, scoped

CHUNK = 5_000
MOST = 200_000
"""Cards one list may hold; a longer one is sent in parts."""
_KEPT_PROBLEMS = 200

_BATCH = """
insert into stock_batches (home, merchant_id, product_id, user_id, source) values (%s, %s, %s, %s, %s) returning id
"""
_COUNTED = "update stock_batches set read = %s, added = %s, duplicate = %s, rejected = %s where id = %s"
# A card delivered by hand or imported with its order was never in stock, but is known all the same.
_INSERT = """
insert into stock_cards (home, merchant_id, product_id, batch_id, card_id, key_id, secret, blind, hint)
select %(home)s, %(merchant_id)s, %(product_id)s, %(batch_id)s, n.card_id, %(key_id)s, n.secret, n.blind, n.hint
from unnest(%(card_ids)b::uuid[], %(secrets)b::bytea[], %(blinds)b::bytea[], %(hints)b::text[]) with ordinality
     as n (card_id, secret, blind, hint, place)
where not exists (select 1 from order_cards d where d.merchant_id = %(merchant_id)s and d.home = %(home)s
                                                and d.blind = n.blind)
order by n.place
on conflict (merchant_id, home, blind) do nothing
returning card_id
"""
_WITHDRAW = """
update stock_cards set state = 2
where merchant_id = %s and home = %s and product_id = %s and (%s::bigint is null or batch_id = %s) and state = 0
"""
_STOCKED = """
select id, product_id, batch_id, state, card_id, key_id, secret, order_no, added_at
from stock_cards where merchant_id = %s and home = %s and blind = %s
"""
_DELIVERED = """
select order_no from order_cards where merchant_id = %s and home = %s and blind = %s order by order_no desc limit 1
"""
_ONE = "select card_id, key_id, secret, product_id from stock_cards where id = %s and merchant_id = %s and home = %s"
STATES = ("free", "sold", "withdrawn")
"""What stock_cards.state means, by code."""


@dataclass(slots=True)
class Report:
    """What became of a list. `problems` are (line, reason) of rejected lines, `repeated` the lines known before."""

    batch_id: int = 0
    read: int = 0
    added: int = 0
    duplicate: int = 0
    rejected: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)

    def reject(self, line: Line) -> None:
        """Counts a line that is no card."""
        self.rejected += 1
        if len(self.problems) < _KEPT_PROBLEMS:
            self.problems.append((line.line, line.problem))


@dataclass(frozen=True, slots=True)
class Found:
    """Where a card is: in stock (`card`), or only with an order that was delivered another way."""

    card: int | None
    product_id: int | None
    batch_id: int | None
    state: str
    order_no: int | None
    added_at: datetime | None


def import_cards(actor: Actor, product_id: int, lines: Iterable[Line], source: str = "") -> Report:
    """Stocks a list of cards, all or nothing, and wakes the orders that wait for them.

    Raises Forbidden without MANAGE, NotFound for another's product, InvalidInput for a list that is too long or empty.
    """
    product = product_of(actor, product_id)
    with scoped(actor.scope) as session:
        report = add_cards(session, product, lines, source=source, user_id=actor.user_id)
        if not report.read:
            raise InvalidInput(_("There is no card in this list."), field="cards")
        counts = {
            "read": report.read,
            "added": report.added,
            "duplicate": report.duplicate,
            "rejected": report.rejected,
        }
        details = {"product": product.pk, "source": source, **counts}
        audit.record("stock.imported", product.merchant_id, str(report.batch_id), actor_json(actor), details)
    return report


def add_cards(
    session: Session, product: Product, lines: Iterable[Line], *, source: str = "", user_id: int | None = None
) -> Report:
    """Stocks cards in the session's transaction, whoever asks. Raises InvalidInput past MOST lines."""
    from chadan.delivery import waiting

    vault = Vault()
    key_id = vault.ensure_key(product.merchant_id, product.home).key_id
    row = session.rows(_BATCH, (product.home, product.merchant_id, product.pk, user_id, source[:200]))[0]
    report = Report(batch_id=int(row[0]))
    same = {
        "home": product.home,
        "merchant_id": product.merchant_id,
        "product_id": product.pk,
        "batch_id": report.batch_id,
        "key_id": key_id,
    }
    source_lines = iter(lines)
    while chunk := list(islice(source_lines, CHUNK)):
        report.read += len(chunk)
        if report.read > MOST:
            raise InvalidInput(_("This list has more than 200,000 lines."), hint=_("Send it in parts."), field="file")
        good = [line for line in chunk if not line.problem]
        for line in chunk:
            if line.problem:
                report.reject(line)
        if good:
            _insert(session, vault, same, good, report)
    counts = (report.read, report.added, report.duplicate, report.rejected, report.batch_id)
    session.run(_COUNTED, counts)
    if report.added:
        waiting.stocked(session, product, report.added)
    return report


def _insert(session: Session, vault: Vault, same: dict[str, Any], good: list[Line], report: Report) -> None:
    ids = [uuid.uuid4() for _line in good]
    merchant_id = int(same["merchant_id"])
    sealed = [vault.seal(merchant_id, card_id, line.card) for card_id, line in zip(ids, good, strict=True)]
    rows = session.rows(
        _INSERT,
        {
            **same,
            "card_ids": ids,
            "secrets": [one.secret for one in sealed],
            "blinds": [one.blind for one in sealed],
            "hints": [one.hint for one in sealed],
        },
    )
    won = {row[0] for row in rows}
    report.added += len(won)
    report.duplicate += len(good) - len(won)
    if len(report.repeated) < _KEPT_PROBLEMS:
        report.repeated += [line.line for card_id, line in zip(ids, good, strict=True) if card_id not in won]
        del report.repeated[_KEPT_PROBLEMS:]


def withdraw(actor: Actor, product_id: int, batch_id: int | None = None) -> int:
    """Takes the free cards of a product, or of one of its batches, out of sale; returns how many.

    A withdrawn card stays known. Raises as `import_cards`.
    """
    product = product_of(actor, product_id)
    with scoped(actor.scope) as session:
        many = session.run(_WITHDRAW, (product.merchant_id, product.home, product.pk, batch_id, batch_id))
        details = {"product": product.pk, "batch": batch_id, "cards": many}
        audit.record("stock.withdrawn", product.merchant_id, str(product.pk), actor_json(actor), details)
    return many


def find_card(actor: Actor, text: str) -> Found | None:
    """Where exactly this card is, within the actor's shop; None for one the shop never knew. Raises Forbidden."""
    merchant_id, home = shop_of(actor)
    try:
        blind = Vault().blind(merchant_id, text)
    except NotFound:  # a shop without a key has no card
        return None
    with scoped(actor.scope) as session:
        stocked, delivered = session.many(
            [(_STOCKED, (merchant_id, home, blind)), (_DELIVERED, (merchant_id, home, blind))]
        )
    if stocked:
        card, product_id, batch_id, state, _card_id, _key_id, _secret, order_no, added_at = stocked[0]
        return Found(card, product_id, batch_id, STATES[state], order_no, added_at)
    return Found(None, None, None, "delivered", delivered[0][0], None) if delivered else None


def reveal(actor: Actor, card: int) -> str:
    """A stocked card in clear, with an audit event. Raises Forbidden without REVEAL, NotFound for another's."""
    merchant_id, home = shop_of(actor)
    if not actor.may(Permission.REVEAL):
        raise Forbidden(_("Your role may not reveal cards and accounts."), hint=_("Ask an owner of the shop."))
    with scoped(actor.scope) as session:
        rows = session.rows(_ONE, (card, merchant_id, home))
        if not rows:
            raise NotFound(_("There is no such card."))
        card_id, key_id, secret, product_id = rows[0]
        audit.record("stock.revealed", merchant_id, str(card), actor_json(actor), {"product": product_id})
        return Vault().open(merchant_id, card_id, key_id, bytes(secret))


def shop_of(actor: Actor) -> tuple[int, int]:
    """The actor's merchant and its home. Raises Forbidden unless the actor manages a shop's stock."""
    actor.require(Permission.MANAGE)
    if actor.merchant_id is None or actor.home is None:
        raise Forbidden(_("Your role does not allow this."))
    return actor.merchant_id, actor.home


def product_of(actor: Actor, product_id: int) -> Product:
    """A product of the actor's shop. Raises Forbidden without MANAGE, NotFound for another's."""
    merchant_id, _home = shop_of(actor)
    product = Product.objects.select_related("version").filter(pk=product_id, merchant_id=merchant_id).first()
    if product is None:
        raise NotFound(_("There is no such product."))
    return product


def texts(cards: Iterable[str]) -> Iterator[Line]:
    """Lines of cards that are texts already, such as a supplier's."""
    from chadan.delivery.card_lists import checked

    return (checked(place, card.strip()) for place, card in enumerate(cards, 1) if card.strip())
