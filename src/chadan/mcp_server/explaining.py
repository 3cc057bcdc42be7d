"""An order in sentences: where it stands, where its money is, what happens next (docs/reference/lifecycle.md)."""

from __future__ import annotations

from typing import Any

from chadan.api.keys import COST, KeyActor
from chadan.api.orders_json import moment
from chadan.money.balances import OrderMoney, order_money
from chadan.orders import number
from chadan.orders.detail import OrderDetail
from chadan.orders.states import DeliveryKind, Escrow
from chadan.orders.states import OrderStatus as S
from chadan.orders.transitions import ALLOWED
from chadan.platform.scope import scoped
from chadan.search.rows import money as yuan

Json = dict[str, Any]
_MEANS = {
    S.PENDING_PAYMENT: "The order was placed and is not paid.",
    S.PAID: "The order is paid; nothing has been sent yet.",
    S.PROCESSING: "The order is paid and being delivered.",
    S.DELIVERED: "The goods were sent; the buyer has not confirmed them yet.",
    S.COMPLETED: "The order is finished.",
    S.CANCELLED: "The order was not paid in time, or was withdrawn.",
    S.AFTER_SALE: "An after-sales case is open.",
    S.REFUNDED: "The money went back to the buyer.",
    S.FAILED: "The order is paid, but delivery failed.",
}
_SENDS = {
    DeliveryKind.CARD: "A card is taken from stock and sent",
    DeliveryKind.TOPUP: "The top-up is handed to a supplier",
    DeliveryKind.MANUAL: "Staff deliver it by hand",
}


def state(detail: OrderDetail) -> Json:
    """The state, what it means and since when."""
    facts = detail.facts
    known: Json = {"status": facts.status, "means": _MEANS[facts.status], "since": moment(_since(detail))}
    if facts.status is S.AFTER_SALE and facts.status_before_code is not None:
        known["status_before"] = S.of(facts.status_before_code)
    return known


def _since(detail: OrderDetail) -> Any:
    stamps = {
        S.PENDING_PAYMENT: detail.facts.placed_at,
        S.PAID: detail.facts.paid_at,
        S.DELIVERED: detail.facts.delivered_at,
        S.COMPLETED: detail.facts.completed_at,
        S.CANCELLED: detail.facts.cancelled_at,
        S.REFUNDED: detail.facts.refunded_at,
    }
    return stamps.get(detail.facts.status) or detail.facts.updated_at


def money(key: KeyActor, detail: OrderDetail) -> Json:
    """Where the money is, in yuan; by the ledger where the order was placed here and its books are the asker's."""
    facts = detail.facts
    known: Json = {
        "currency": facts.currency,
        "amount": yuan(facts.amount),
        "paid": yuan(facts.paid),
        "refunded": yuan(facts.refunded),
    }
    books = _books(key, detail)
    if books is not None:
        known["held_in_escrow"] = yuan(books.held)
        if key.may(COST):
            known |= {"gateway_fee": yuan(books.gateway_fee), "platform_fee": yuan(books.platform_fee)}
    known["where"] = _where(detail)
    return known


def _books(key: KeyActor, detail: OrderDetail) -> OrderMoney | None:
    if not (detail.inside and detail.lives_here):
        return None
    with scoped(key.actor.scope) as session:
        return order_money(session, detail.order_no, number.split(detail.order_no).home)


def _where(detail: OrderDetail) -> str:
    facts = detail.facts
    back = f" ¥{yuan(facts.refunded)} went back to the buyer." if facts.refunded else ""
    stayed = yuan(facts.paid - facts.refunded)
    if not facts.paid:
        return "No money has come in."
    if not detail.lives_here:
        return f"The order was brought in from another shop; its money is there.{back}"
    if facts.paid == facts.refunded:
        return f"All of it went back to the buyer: ¥{yuan(facts.refunded)}."
    if facts.escrow is Escrow.HELD:
        until = f" until {moment(facts.escrow_until)}" if facts.escrow_until else ""
        return f"¥{stayed} is held in escrow{until}.{back}"
    if facts.escrow is Escrow.RELEASED:
        return f"¥{stayed} was released to the shop, less fees.{back}"
    return f"¥{stayed} is with the shop.{back}"


def what_next(detail: OrderDetail) -> Json:
    """What happens by itself or is waited for, and the states the order may go to."""
    facts = detail.facts
    to = sorted(ALLOWED[facts.status])
    if facts.status is S.AFTER_SALE and facts.status_before_code is not None:
        to = sorted({*to, S.of(facts.status_before_code)})
    if not detail.lives_here:
        return {"means": "Nothing: it is the record of another shop's order.", "states": []}
    return {"means": _next(detail), "states": to}


def _next(detail: OrderDetail) -> str:
    facts = detail.facts
    if facts.status is S.PENDING_PAYMENT:
        return "The buyer pays, or the order is cancelled by itself when the time to pay is over."
    if facts.status is S.PAID:
        return f"{_SENDS[facts.delivery_kind]}; then the order is delivered or failed."
    if facts.status is S.PROCESSING:
        return "The delivery succeeds or fails; then the order is delivered or failed."
    if facts.status is S.DELIVERED:
        until = f" at {moment(facts.escrow_until)}" if facts.escrow_until else " when the time in escrow is over"
        return f"The buyer confirms receipt, or the order completes itself{until}; then held money goes to the shop."
    if facts.status is S.COMPLETED:
        return "Nothing, unless an after-sales case is opened."
    if facts.status is S.CANCELLED:
        return "Nothing; a payment that still arrives is taken and delivered, or refunded."
    if facts.status is S.AFTER_SALE:
        return "Staff close the case: the order returns to the state before, or money goes back and it ends refunded."
    if facts.status is S.FAILED:
        return "Staff try the delivery again or refund the order."
    return "Nothing; this is the end."
