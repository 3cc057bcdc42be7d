"""Steps of an order's life that need no gateway and no stock: complete, cancel, expire, open and close an after-sales case.

Each is asked for in somebody's scope: an order that is not in it does not exist. The work itself is done in the scope of the
order's merchant, with the ledger and the jobs it causes, in one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_  # noqa: N812 - the name gettext tools look for

from chadan.orders import events, number
from chadan.orders.states import Escrow, OrderStatus
from chadan.orders.transitions import IllegalTransition, Locked, Moved, lock, transition
from chadan.platform.errors import ChadanError, InvalidInput, NotFound
from chadan.platform.scope import OPERATOR, Scope, Session, scoped

log = logging.getLogger(__name__)
S = OrderStatus
Who = Mapping[str, Any]
REASON_LENGTH = 300

_ESCROW = "select escrow, escrow_until from orders where order_no = %s and home = %s"
_EXPIRES = "select expires_at from order_checkouts where order_no = %s and home = %s"
# What is due is read from the orders themselves: a job an order, waiting for its time, made the queue as long as the record.
_UNPAID = """
select o.order_no from orders o join order_checkouts c on c.order_no = o.order_no and c.home = o.home
where o.status = 0 and c.expires_at <= now() and o.order_no > %s order by o.order_no limit %s
"""
_ESCROW_OVER = """
select order_no, escrow_until from orders
where escrow = 1 and status = 3 and escrow_until <= now() and (escrow_until, order_no) > (%s, %s)
order by escrow_until, order_no limit %s
"""
_BATCH = 500


def complete(scope: Scope, order_no: int, actor: Who, reason: str, cause: str = "") -> Moved:
    """The buyer has the goods (or had time to say otherwise): completed, and the escrow goes to the merchant.

    Raises NotFound, IllegalTransition (only a delivered order is completed). Done before: changes nothing.
    """
    from chadan.money import flows

    with _in_shop(scope, order_no) as (session, order):
        if order.status is S.COMPLETED:
            return Moved(changed=False, before=order.status, status=order.status)
        _require(order, {S.DELIVERED}, _("Only a delivered order can be confirmed."))
        cause = cause or f"complete:{order_no}"
        escrow = session.rows(_ESCROW, (order.order_no, order.home))[0][0]
        changes = {"escrow": Escrow.RELEASED.code} if escrow == Escrow.HELD.code else {}
        moved = transition(session, order_no, S.COMPLETED, actor=actor, reason=reason, cause=cause, changes=changes)
        if moved.changed:
            flows.escrow_released(session, order, cause=cause, actor=actor)
        return moved


def cancel(scope: Scope, order_no: int, actor: Who, reason: str, cause: str = "") -> Moved:
    """Withdraws an unpaid order. Raises NotFound, IllegalTransition (money is there: it is refunded, not cancelled)."""
    with _in_shop(scope, order_no) as (session, order):
        if order.status is S.CANCELLED:
            return Moved(changed=False, before=order.status, status=order.status)
        _require(order, {S.PENDING_PAYMENT}, _("Only an unpaid order can be cancelled."))
        return transition(session, order_no, S.CANCELLED, actor=actor, reason=reason, cause=cause)


def open_after_sale(scope: Scope, order_no: int, actor: Who, reason: str, cause: str = "") -> Moved:
    """Opens a case: the escrow stays held while it is open. Raises NotFound, InvalidInput (no reason), IllegalTransition."""
    reason = _reason(reason)
    with _in_shop(scope, order_no) as (session, order):
        if order.status is S.AFTER_SALE:
            return Moved(changed=False, before=order.status, status=order.status)
        unpaid = {S.PENDING_PAYMENT, S.CANCELLED, S.REFUNDED}
        _require(order, set(S) - unpaid, _("There is nothing to complain about: this order holds no money."))
        return transition(session, order_no, S.AFTER_SALE, actor=actor, reason=reason, cause=cause)


def close_after_sale(
    scope: Scope, order_no: int, actor: Who, reason: str, *, refund: int = 0, cause: str = ""
) -> OrderStatus:
    """Closes a case and returns the state it leaves the order in.

    `refund` fen are asked back through payments.refunds in the same transaction. If that is everything, the case stays open
    until the money went back and ends in `refunded`; else the order returns to the state before it. Raises NotFound,
    InvalidInput (no reason, more than was paid), IllegalTransition.
    """
    reason = _reason(reason)
    with _in_shop(scope, order_no) as (session, order):
        _require(order, {S.AFTER_SALE}, _("No after-sales case is open."))
        left = order.paid - order.refunded
        if not 0 <= refund <= left:
            raise InvalidInput(_("Refund at most what was paid and has not gone back."), field="refund")
        if refund:
            from chadan.payments import refunds  # type: ignore[attr-defined,unused-ignore]

            refunds.request(session, order_no, refund, reason, actor)
            if refund == left:
                return order.status
        before = order.status_before or S.COMPLETED
        transition(session, order_no, before, actor=actor, reason=reason, cause=cause)
        return before


def expire(order_no: int) -> bool:
    """Cancels an order that was not paid in time, after a last look at its gateways; True when it did.

    Earlier than `expires_at` by the database's clock nothing happens. A payment that shows up later still counts
    (payments.facts).
    """
    with scoped(OPERATOR) as session:
        order = lock(session, order_no)
        rows = session.rows(_EXPIRES, (order.order_no, order.home))
    if order.status is not S.PENDING_PAYMENT or not rows or rows[0][0] > order.at:
        return False
    _last_look(order_no)
    try:
        moved = cancel(OPERATOR, order_no, events.system("orders"), N_("not paid in time"), f"expire:{order_no}")
    except IllegalTransition:  # the last look found the money
        return False
    return moved.changed


def complete_due(order_no: int) -> bool:
    """Completes a delivered order whose escrow time is over, by the database's clock; True when it did."""
    with scoped(OPERATOR) as session:
        order = lock(session, order_no)
        until = session.rows(_ESCROW, (order.order_no, order.home))[0][1]
    if order.status is not S.DELIVERED or (until is not None and until > order.at):
        return False
    try:
        reason = N_("nobody objected in time")
        return complete(OPERATOR, order_no, events.system("orders"), reason, f"complete:{order_no}").changed
    except IllegalTransition:  # a case was opened this very moment
        return False


def unpaid_due() -> Iterator[int]:
    """Unpaid orders whose time is over."""
    last = 0
    while True:
        with scoped(OPERATOR) as session:
            found = [int(row[0]) for row in session.rows(_UNPAID, (last, _BATCH))]
        yield from found
        if len(found) < _BATCH:
            return
        last = found[-1]


def escrows_due() -> Iterator[int]:
    """Delivered orders whose escrow time is over, the longest due first."""
    last = (datetime.min.replace(tzinfo=UTC), 0)
    while True:
        with scoped(OPERATOR) as session:
            found = session.rows(_ESCROW_OVER, (*last, _BATCH))
        yield from (int(row[0]) for row in found)
        if len(found) < _BATCH:
            return
        last = (found[-1][1], int(found[-1][0]))


def _last_look(order_no: int) -> None:
    """Asks the gateways once more; one that cannot be reached does not keep an order open for ever."""
    from chadan.payments import healing

    try:
        healing.last_look(order_no)
    except ChadanError as error:
        log.warning("last look failed", extra={"order": number.text(order_no), "reason": error.code})


@contextmanager
def _in_shop(scope: Scope, order_no: int) -> Iterator[tuple[Session, Locked]]:
    """The order, locked, if `scope` sees it, and a session in its merchant's scope."""
    if not number.is_valid(order_no):
        raise NotFound(_("There is no such order."))
    with scoped(scope) as asked:
        order = lock(asked, order_no)
        with scoped(Scope(merchants=(order.merchant_id,), homes=(order.home,))) as session:
            yield session, order


def _require(order: Locked, states: set[OrderStatus], sentence: str) -> None:
    if order.status not in states:
        raise IllegalTransition(sentence)


def _reason(text: str) -> str:
    text = text.replace("\x00", "").strip()
    if not text:
        raise InvalidInput(_("Say why."), field="reason")
    if len(text) > REASON_LENGTH:
        raise InvalidInput(
            _("That is too long: at most %(most)d characters.") % {"most": REASON_LENGTH}, field="reason"
        )
    return text
