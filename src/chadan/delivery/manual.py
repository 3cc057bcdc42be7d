"""Deliveries that need a person: what waits and why, delivering by hand, giving up, trying again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from chadan.accounts.actors import Actor, Permission
from chadan.delivery import results, rows
from chadan.delivery.card_lists import from_text
from chadan.orders import number
from chadan.orders.events import actor_json, append
from chadan.orders.states import DeliveryKind, DeliveryStatus, OrderStatus
from chadan.orders.transitions import Locked, lock, transition
from chadan.platform import jobs
from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound
from chadan.platform.scope import Session, scoped

MOST = 200
LONGEST_REASON = 300
_ROWS = """
select o.order_no, o.status, o.amount, o.quantity, o.account, o.paid_at, v.title, v.delivery_kind, d.status, d.reason,
       coalesce(d.due_at, o.paid_at + make_interval(mins => p.sla_minutes)), d.attempts
from orders o
join product_versions v on v.id = o.version_id
join products p on p.id = v.product_id
left join lateral (select x.status, x.reason, x.due_at, x.attempts from order_deliveries x
                   where x.order_no = o.order_no and x.home = o.home order by x.seq desc limit 1) d on true
where o.merchant_id = any(%s::bigint[]) and o.home = any(%s::smallint[]) and """
_LIST = _ROWS + "(o.status in (1, 2) or (o.status = 8 and o.order_no >= %s)) order by o.order_no limit %s"
_ONE = _ROWS + "o.order_no = %s"
_FAILED_DAYS = 30
"""A failed order older than that is history: an imported shop has thousands."""
_OPEN = frozenset({OrderStatus.PAID, OrderStatus.PROCESSING})


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order somebody may have to deliver. Money is fen; `due_at` is the product's SLA."""

    order_no: int
    status: OrderStatus
    amount: int
    quantity: int
    account: str
    paid_at: datetime | None
    title: str
    kind: DeliveryKind
    delivery: DeliveryStatus | None
    reason: str
    due_at: datetime | None
    attempts: int

    @property
    def number(self) -> str:
        """The order's number, 19 digits."""
        return number.text(self.order_no)

    @property
    def overdue(self) -> bool:
        """Whether its SLA has passed."""
        return self.due_at is not None and self.due_at < number.now()

    @property
    def countdown(self) -> str:
        """How long is left of the SLA, or how long it is past."""
        if self.due_at is None:
            return ""
        seconds = (self.due_at - number.now()).total_seconds()
        words = _span(abs(seconds) // 60)
        return _("%(time)s left") % {"time": words} if seconds >= 0 else _("%(time)s late") % {"time": words}


def _span(minutes: float) -> str:
    """A span in the largest unit that is full: minutes, hours or days."""
    if minutes < 120:
        return ngettext("%(n)s minute", "%(n)s minutes", int(minutes)) % {"n": f"{minutes:.0f}"}
    if minutes < 48 * 60:
        return ngettext("%(n)s hour", "%(n)s hours", int(minutes // 60)) % {"n": f"{minutes // 60:.0f}"}
    return ngettext("%(n)s day", "%(n)s days", int(minutes // 1440)) % {"n": f"{minutes // 1440:,.0f}"}


def waiting(actor: Actor) -> list[Waiting]:
    """The shop's orders that are paid and not delivered, or failed lately; oldest first, MOST at most. Raises Forbidden."""
    scope = _shop(actor).scope
    since = number.floor(number.now() - timedelta(days=_FAILED_DAYS))
    with scoped(scope) as session:
        found = session.rows(_LIST, (list(scope.merchants), list(scope.homes), since, MOST))
    return [_waiting(row) for row in found]


def one(actor: Actor, order_no: int) -> Waiting:
    """One order of the shop, whatever its state. Raises Forbidden, NotFound."""
    scope = _shop(actor).scope
    with scoped(scope) as session:
        found = session.rows(_ONE, (list(scope.merchants), list(scope.homes), order_no))
    if not found:
        raise NotFound(_("There is no such order."))
    return _waiting(found[0])


def _waiting(row: tuple[Any, ...]) -> Waiting:
    order_no, status, amount, quantity, account, paid_at, title, kind, delivery, reason, due_at, attempts = row
    return Waiting(
        *(order_no, OrderStatus.of(status), amount, quantity, account, paid_at, title, DeliveryKind.of(kind)),
        *(None if delivery is None else DeliveryStatus.of(delivery), reason or "", due_at, attempts or 0),
    )


def by_hand(actor: Actor, order_no: int, text: str, cause: str = "") -> None:
    """Delivers an order: `text` holds its cards, a card a line; without any the top-up is confirmed as done.

    `cause` names what it is part of, such as a batch. Raises Forbidden, NotFound, Conflict for an order that is not open, InvalidInput for a number of cards that is not the
    order's quantity.
    """
    lines = list(from_text(text))
    if broken := next((line for line in lines if line.problem), None):
        raise InvalidInput(_("Line %(line)s: %(reason)s.") % {"line": broken.line, "reason": _(broken.problem)})
    cards = [line.card for line in lines]
    with scoped(_shop(actor).scope) as session:
        order = _open(session, actor, order_no)
        _check(session, order, cards)
        cause = cause or f"by hand:{actor.user_id}:{number.text(order_no)}"
        results.delivered(
            session,
            order_no,
            cards=cards,
            actor=actor_json(actor),
            reason=gettext_noop("delivered by hand"),
            cause=cause,
        )


def _check(session: Session, order: Locked, cards: Sequence[str]) -> None:
    kind = rows.kind_of(session, order.order_no)
    needed = rows.missing_cards(session, order.order_no)
    if kind is DeliveryKind.CARD and len(cards) != needed:
        raise InvalidInput(_("This order needs %(count)s cards, one a line.") % {"count": needed}, field="cards")


def give_up(actor: Actor, order_no: int, reason: str) -> None:
    """Marks an order as failed, with what the buyer reads. Raises as `by_hand`, InvalidInput without a reason."""
    words = " ".join(reason.split())[:LONGEST_REASON]
    if not words:
        raise InvalidInput(_("Say why it failed: the buyer reads it."), field="reason")
    with scoped(_shop(actor).scope) as session:
        _open(session, actor, order_no)
        results.failed(session, order_no, reason=words, actor=actor_json(actor), cause="")


def retry(actor: Actor, order_no: int, cause: str = "") -> None:
    """Tries a delivery again: the job is deferred; a failed order goes back to processing. `cause` and errors as `by_hand`."""
    with scoped(_shop(actor).scope) as session:
        order = _locked(session, actor, order_no)
        who = actor_json(actor)
        if order.status is OrderStatus.FAILED:
            again, to = gettext_noop("tried again"), OrderStatus.PROCESSING
            transition(session, order_no, to, actor=who, reason=again, cause=cause, locked=order)
        elif order.status in _OPEN:
            append(session, order_no, "delivery.retried", who, {"cause": cause} if cause else {})
        else:
            raise Conflict(_("This order is not waiting for its delivery any more."))
        jobs.job("delivery.deliver").defer(order_no=order_no)


def _shop(actor: Actor) -> Actor:
    actor.require(Permission.DELIVER)
    if actor.merchant_id is None:
        raise Forbidden(_("Your role does not allow this."))
    return actor


def _locked(session: Session, actor: Actor, order_no: int) -> Locked:
    """The order, if the actor's shop sold it: what it bought from another shop is that shop's to deliver."""
    if not number.is_valid(order_no):
        raise NotFound(_("There is no such order."))
    try:
        order = lock(session, order_no)
    except NotFound as error:
        raise NotFound(_("There is no such order.")) from error
    if order.merchant_id != actor.merchant_id:
        raise NotFound(_("There is no such order."))
    return order


def _open(session: Session, actor: Actor, order_no: int) -> Locked:
    order = _locked(session, actor, order_no)
    if order.status not in _OPEN:
        raise Conflict(_("This order is not waiting for its delivery any more."))
    return order
