"""Runs an importer: rows become orders, chunk by chunk, each chunk whole or not at all, with a report row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from uuid import uuid4

import psycopg
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.utils import timezone

from chadan.accounts.actors import Actor, Permission
from chadan.accounts.models import Merchant
from chadan.integrations.contract import Importer, ParsedOrder, Rejection
from chadan.integrations.models import ImportRun
from chadan.integrations.parties import Origin, Parties
from chadan.orders.events import actor_json
from chadan.orders.loading import ATTEMPTS, ensure_months, known_numbers, load_chunk
from chadan.orders.records import CardFact, DeliveryFact, NoteFact, OrderRecord, PaymentFact, RefFact
from chadan.orders.states import DeliveryKind, DeliveryStatus, OrderStatus, PaymentStatus, RefKind
from chadan.orders.vault import Vault
from chadan.platform.errors import ChadanError, Conflict, InvalidInput

CHUNK = 5000
DAY = 86_400
KEPT = 10_000
"""Rejections kept in the stored report; all are counted."""


@dataclass(slots=True)
class Report:
    """What an import did; `rejections` are the first `KEPT` of all."""

    read: int = 0
    added: int = 0
    duplicate: int = 0
    rejected: int = 0
    rejections: list[Rejection] = field(default_factory=list)

    def reject(self, rejection: Rejection) -> None:
        """Counts and keeps one."""
        self.rejected += 1
        if len(self.rejections) < KEPT:
            self.rejections.append(rejection)

    def as_json(self) -> dict[str, int]:
        """The counts."""
        return {"read": self.read, "added": self.added, "duplicate": self.duplicate, "rejected": self.rejected}


@dataclass(frozen=True, slots=True)
class Wish:
    """What to import: from where, of which merchant of the source, under which name of the source, and whether in earnest."""

    importer: Importer
    path: Path
    source_merchant: str | None = None
    shop: str = ""
    dry_run: bool = False


def run_import(actor: Actor, wish: Wish, progress: Callable[[int], None] = lambda _read: None) -> Report:
    """Imports as `actor`: the platform operator everything, a merchant the rows of one source merchant into its own shop.

    Raises Forbidden without the permission, InvalidInput when the source cannot be read at all or a merchant does not say
    whose rows are its own. A dry run writes nothing. The report of a real run is stored, also when it fails.
    """
    actor.require(Permission.IMPORT)
    wish.importer.check(wish.path)
    into = None
    if actor.merchant_id is not None:
        _require_source_merchant(wish)
        into = Merchant.objects.get(pk=actor.merchant_id)
    run = _Run(actor, wish, Parties(Origin(wish.importer.name, wish.shop, into)))
    if wish.dry_run:
        run.all(progress)
        return run.report
    stored = ImportRun.objects.create(
        user_id=actor.user_id, merchant=into, format=wish.importer.name, path=str(wish.path)[:500]
    )
    try:
        run.all(progress)
    except BaseException as error:
        _store(stored, run.report, "failed", str(error) or type(error).__name__)
        raise
    _store(stored, run.report, "done", "")
    return run.report


def _require_source_merchant(wish: Wish) -> None:
    known = wish.importer.merchants(wish.path)
    if wish.source_merchant is None or _plain(wish.source_merchant) not in map(_plain, known):
        some = ", ".join(f"{ref} {name}".strip() for ref, name in list(known.items())[:8])
        given = "" if wish.source_merchant is None else f" The source has no merchant {wish.source_merchant!r}."
        raise InvalidInput(
            f"Say whose rows these are with --source-merchant.{given}", hint=f"The source has: {some} …" if some else ""
        )


def _plain(source_merchant: str) -> str:
    return "" if source_merchant == "0" else source_merchant


def _store(stored: ImportRun, report: Report, state: str, error: str) -> None:
    if connection.in_atomic_block and connection.needs_rollback:
        return
    stored.state, stored.error, stored.finished_at = state, error[:2000], timezone.now()
    stored.read, stored.added, stored.duplicate, stored.rejected = (
        *(report.read, report.added),
        *(report.duplicate, report.rejected),
    )
    stored.rejections = [[row.line, row.number, row.reason] for row in report.rejections]
    stored.save()


class _Run:
    """One import under way."""

    def __init__(self, actor: Actor, wish: Wish, parties: Parties) -> None:
        self.actor, self.wish, self.parties = actor, wish, parties
        self.vault = Vault()
        self.report = Report()

    def all(self, progress: Callable[[int], None]) -> None:
        chunk: list[ParsedOrder] = []
        for order in self._orders():
            chunk.append(order)
            if len(chunk) == CHUNK:
                self._take(chunk)
                chunk.clear()
                progress(self.report.read)
        if chunk:
            self._take(chunk)
        progress(self.report.read)

    def _orders(self) -> Iterator[ParsedOrder]:
        """The good rows that are asked for; the others are counted and told."""
        only, report = self.wish.source_merchant, self.report
        seen: dict[str, int] = {}
        for item in self.wish.importer.read(self.wish.path, int(time())):
            whose = item.source_merchant
            if only is not None and whose is not None and _plain(whose) != _plain(only):
                continue
            report.read += 1
            if isinstance(item, Rejection):
                report.reject(item)
                continue
            first = seen.setdefault(item.number, item.line)
            if first != item.line:
                reason = f"its order number stands in line {first} already"
                report.reject(Rejection(item.line, item.number, reason, whose))
                continue
            if item.earliest < item.placed_at - DAY:
                reason = "it was paid, delivered or ended more than a day before it was placed"
                report.reject(Rejection(item.line, item.number, reason, whose))
                continue
            yield item

    def _take(self, orders: list[ParsedOrder]) -> None:
        if self.wish.dry_run:
            self._look(orders)
            return
        try:
            added, duplicate = self._load(orders)
        except (DatabaseError, psycopg.DataError, ValueError) as error:
            if len(orders) == 1:
                words = str(error).strip().splitlines() or [type(error).__name__]
                order = orders[0]
                self.report.reject(Rejection(order.line, order.number, f"it cannot be stored: {words[0]}"))
                return
            # One row spoils its chunk: halves find it, and all others come in.
            middle = len(orders) // 2
            self._take(orders[:middle])
            self._take(orders[middle:])
            return
        self.report.added += added
        self.report.duplicate += duplicate

    def _look(self, orders: list[ParsedOrder]) -> None:
        """What `_take` would do, by reading only."""
        fresh = self._fresh(orders)
        self.report.duplicate += len(orders) - len(fresh)
        self.report.added += len(fresh)

    def _fresh(self, orders: list[ParsedOrder]) -> list[ParsedOrder]:
        """The orders that are not in the record yet."""
        numbers: list[tuple[int, int, str] | None] = []
        for order in orders:
            place = self.parties.known_place(order.source_merchant)
            numbers.append(place and (place.home, place.source_id, order.number))
        asked = [number for number in numbers if number is not None]
        known = known_numbers(self.actor.scope, asked) if asked else set()
        return [order for order, number in zip(orders, numbers, strict=True) if number not in known]

    def _load(self, orders: list[ParsedOrder]) -> tuple[int, int]:
        """How many were added, how many are there already."""
        for attempt in range(ATTEMPTS):
            try:
                fresh = self._fresh(orders)
                if not fresh:
                    return 0, len(orders)
                ensure_months(order.placed_at for order in fresh)
                with transaction.atomic():
                    self.parties.prepare(fresh)
                    records = [self._record(order) for order in fresh]
                    loaded = load_chunk(self.actor.scope, records, actor_json(self.actor))
                return loaded.added, len(orders) - loaded.added
            except Conflict:
                self._forget()
                if attempt == ATTEMPTS - 1:
                    raise
            except BaseException:
                self._forget()
                raise
        raise ChadanError("unreachable")

    def _forget(self) -> None:
        """After a rollback nothing made in the transaction exists."""
        self.parties, self.vault = Parties(self.parties.origin), Vault()

    def _record(self, order: ParsedOrder) -> OrderRecord:
        parties, place = self.parties, self.parties.places[order.source_merchant]
        paid, method = order.paid_at is not None, order.payment_method
        updated = max(moment for moment in order.moments)
        product = order.product
        return OrderRecord(
            order_no=0,
            home=place.home,
            placed_at=order.placed_at,
            merchant_id=place.merchant_id,
            buyer_id=parties.buyer_id(order.buyer),
            buyer_login=order.buyer.login,
            buyer_name=order.buyer.name,
            version_id=parties.versions[place.merchant_id, product.ref, product.variant],
            category=product.category.code,
            face_value=product.face_value,
            quantity=order.quantity,
            status=order.status.code,
            amount=order.amount,
            paid=order.paid,
            refunded=0,
            cost=order.cost,
            fee=order.fee,
            payment_method=None if method is None else method.code,
            platform=self.wish.importer.name,
            account=order.account,
            updated_at=updated,
            source_order_no=order.number,
            paid_at=order.paid_at,
            delivered_at=order.delivered_at,
            completed_at=order.completed_at,
            cancelled_at=order.cancelled_at,
            payments=(self._payment(order, place.merchant_id),) if method is not None else (),
            deliveries=(_delivery(order),) if paid else (),
            cards=self._cards(order, place.merchant_id, place.home),
            notes=(NoteFact(None, order.buyer.login, False, order.note, order.placed_at),) if order.note else (),
            refs=(RefFact(RefKind.SOURCE.code, place.source_id, order.number),),
            contact=order.contact,
            ip=order.ip,
        )

    def _payment(self, order: ParsedOrder, merchant_id: int) -> PaymentFact:
        assert order.payment_method is not None  # noqa: S101 - the caller looked
        method = order.payment_method.code
        if order.paid_at is not None:
            state = PaymentStatus.SUCCESS
        else:
            state = PaymentStatus.PENDING if order.status is OrderStatus.PENDING_PAYMENT else PaymentStatus.FAILED
        channel = self.parties.channels[merchant_id, order.payment_name, method]
        # The source gave the gateway its own order number.
        return PaymentFact(channel, method, state.code, order.amount, order.number, "", order.placed_at, order.paid_at)

    def _cards(self, order: ParsedOrder, merchant_id: int, home: int) -> tuple[CardFact, ...]:
        if not order.cards:
            return ()
        self.vault.ensure_key(merchant_id, home)
        facts = []
        for text in order.cards:
            card_id = uuid4()
            facts.append(CardFact(str(card_id), self.vault.seal(merchant_id, card_id, text)))
        return tuple(facts)


def _delivery(order: ParsedOrder) -> DeliveryFact:
    if order.status is OrderStatus.FAILED:
        state = DeliveryStatus.FAILED
    else:
        state = DeliveryStatus.DELIVERED if order.delivered_at is not None else DeliveryStatus.WAITING
    kind = DeliveryKind.CARD if order.cards else order.product.delivery_kind
    started = order.paid_at if order.paid_at is not None else order.placed_at
    return DeliveryFact(kind.code, state.code, None, "", order.failure, started, order.delivered_at)
