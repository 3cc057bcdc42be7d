"""Who owes whom after each step of an order, to the fen (docs/explanation/money.md has every flow with figures).

All flows run in the step's own transaction, in the merchant's or the operator's scope, and post once: they return False when
their `cause` was posted before. The order is locked by its caller, so one order's flows never run at the same time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from chadan.money.accounts import AccountKind as A
from chadan.money.accounts import Leg, PostingKind, credit, debit, post, posted
from chadan.money.balances import WALLET_KINDS, InsufficientBalance, balance, lock_for_debit, order_money
from chadan.orders.transitions import Locked
from chadan.platform.config import get_config
from chadan.platform.errors import Conflict
from chadan.platform.scope import Session

RATE = 10_000
"""Fees are set in 1/10,000."""
Who = Mapping[str, Any]
"""An actor as events name it: `events.actor_json(...)` or `events.system(...)`."""


class RefundTooLarge(Conflict):
    """More is to go back than was paid and has not gone back yet."""

    code = "refund_too_large"


def payment_received(
    session: Session, order: Locked, *, channel_id: int, amount: int, fee: int, cause: str, actor: Who
) -> bool:
    """A gateway took `amount` and keeps `fee` of it: clearing and gateway fees against escrow."""
    if not 0 <= fee <= amount:
        raise ValueError(f"a fee of {fee} fen on a payment of {amount}")
    legs = [debit(A.CLEARING, amount - fee, channel_id), debit(A.GATEWAY_FEES, fee), credit(A.ESCROW, amount)]
    return _post(session, PostingKind.PAYMENT, cause, legs, order, amount, actor)


def wallet_paid(session: Session, order: Locked, *, amount: int, cause: str, actor: Who) -> bool:
    """The buyer's wallet at the shop pays, or for a purchase the agent's: wallet against escrow.

    Raises InsufficientBalance; two payments from one wallet wait for each other.
    """
    kind, owner = _wallet_of(order)
    held = lock_for_debit(session, order.home, order.merchant_id, kind, owner)
    legs = [debit(kind, amount, owner), credit(A.ESCROW, amount)]
    if held < amount and not _posted(session, PostingKind.WALLET_PAYMENT, cause, order, amount):
        raise InsufficientBalance(_("The wallet does not hold enough."), hint=_("Top it up, or pay another way."))
    return _post(session, PostingKind.WALLET_PAYMENT, cause, legs, order, amount, actor)


def escrow_released(session: Session, order: Locked, *, cause: str, actor: Who) -> bool:
    """The order is completed: what is held goes to the merchant, less the gateway's and the platform's fee.

    What the merchant owes (dues) is taken first. Also False when nothing is held: an order the ledger never saw.
    """
    money = order_money(session, order.order_no, order.home)
    if money.held <= 0:
        return False
    platform_fee = money.held * get_config().platform_fee // RATE
    legs = [
        debit(A.ESCROW, money.held),
        credit(A.GATEWAY_FEES, money.gateway_fee),
        credit(A.PLATFORM_FEES, platform_fee),
    ]
    legs += _from_merchant(session, order, -sum(leg.amount for leg in legs))
    return _post(session, PostingKind.RELEASE, cause, legs, order, money.held, actor)


def refunded(
    session: Session, order: Locked, *, amount: int, channel_id: int | None, cause: str, actor: Who, fee: int = 0
) -> bool:
    """`amount` went back through the channel, or (None) into the wallet of the buyer, of a purchase's agent.

    It comes from escrow as far as that goes, then from the merchant: its balance, and dues for what that does not cover, so
    that no balance is ever below zero. `fee` is what the gateway gave back of its own fee. The platform gives back its
    share of what it took from a released order. When everything has gone back, the merchant bears the gateway fee that is
    left. Raises RefundTooLarge.
    """
    if amount <= 0 or not 0 <= fee <= (0 if channel_id is None else amount):
        raise ValueError(f"a fee of {fee} fen in a refund of {amount} through {channel_id or 'the wallet'}")
    if _posted(session, PostingKind.REFUND, cause, order, amount):
        return False
    money = order_money(session, order.order_no, order.home)
    if amount > money.paid - money.refunded:
        raise RefundTooLarge(
            _("More would go back than was paid."), hint=_("Refund at most what is left of the payment.")
        )
    from_escrow = min(amount, money.held)
    from_released = amount - from_escrow
    outstanding = money.paid - money.refunded - money.held
    platform_share = money.platform_fee * from_released // outstanding if from_released else 0
    fee_back = min(fee, money.gateway_fee)
    fee_left = money.gateway_fee - fee_back if from_escrow == money.held else 0
    back = credit(A.CLEARING, amount - fee, channel_id) if channel_id else _into_wallet(order, amount)
    legs = [debit(A.ESCROW, from_escrow), debit(A.PLATFORM_FEES, platform_share), back]
    legs += [credit(A.GATEWAY_FEES, fee_back + fee_left)]
    legs += _from_merchant(session, order, -sum(leg.amount for leg in legs))
    return _post(session, PostingKind.REFUND, cause, legs, order, amount, actor)


def purchase_cost(session: Session, order: Locked, *, supplier_id: int, amount: int, cause: str, actor: Who) -> bool:
    """A supplier charged `amount` for the order's goods: cost against what lies with the supplier."""
    legs = [debit(A.SUPPLIER_COST, amount), credit(A.SUPPLIER_PREPAID, amount, supplier_id)]
    return _post(session, PostingKind.PURCHASE, cause, legs, order, amount, actor)


def purchase_returned(
    session: Session, order: Locked, *, supplier_id: int, amount: int, cause: str, actor: Who
) -> bool:
    """A supplier gave back what it had charged for goods that did not come."""
    legs = [debit(A.SUPPLIER_PREPAID, amount, supplier_id), credit(A.SUPPLIER_COST, amount)]
    return _post(session, PostingKind.PURCHASE_RETURN, cause, legs, order, amount, actor)


def wallet_topped_up(  # noqa: PLR0917 - who, where, how much, how, why
    session: Session,
    merchant_id: int,
    home: int,
    owner: tuple[str, int],
    amount: int,
    channel_id: int | None,
    cause: str,
    actor: Who,
    memo: str = "",
) -> bool:
    """Money for a wallet arrived: through a channel, or (None) outside, as staff confirmed. `owner` is ("buyer"|"agent", id)."""
    kind, owner_id = WALLET_KINDS[owner[0]], owner[1]
    came = debit(A.OUTSIDE, amount) if channel_id is None else debit(A.CLEARING, amount, channel_id)
    legs = [came, credit(kind, amount, owner_id)]
    return post(
        session,
        *(PostingKind.TOPUP, cause, legs),
        home=home,
        merchant_id=merchant_id,
        amount=amount,
        actor=actor,
        memo=memo,
    )


def _post(  # noqa: PLR0917 - a posting has that many parts
    session: Session, kind: PostingKind, cause: str, legs: list[Leg], order: Locked, amount: int, actor: Who
) -> bool:
    return post(
        session,
        *(kind, cause, legs),
        home=order.home,
        merchant_id=order.merchant_id,
        amount=amount,
        actor=actor,
        order_no=order.order_no,
    )


def _posted(session: Session, kind: PostingKind, cause: str, order: Locked, amount: int) -> bool:
    return posted(
        session,
        *(kind, cause),
        home=order.home,
        merchant_id=order.merchant_id,
        order_no=order.order_no,
        amount=amount,
    )


def _wallet_of(order: Locked) -> tuple[A, int]:
    """The wallet that pays an order and takes its refunds: a purchase is the agent's, a sale the buyer's."""
    return (A.BUYER_WALLET, order.buyer_id) if order.agent_id is None else (A.AGENT_WALLET, order.agent_id)


def _into_wallet(order: Locked, amount: int) -> Leg:
    kind, owner = _wallet_of(order)
    return credit(kind, amount, owner)


def _from_merchant(session: Session, order: Locked, amount: int) -> list[Leg]:
    """What the merchant gives (amount > 0) or gets (< 0). Nothing is taken that its balance does not hold: that is due."""
    home, merchant = order.home, order.merchant_id
    if amount > 0:
        taken = min(amount, max(0, lock_for_debit(session, home, merchant, A.MERCHANT_BALANCE)))
        return [debit(A.MERCHANT_BALANCE, taken), debit(A.DUES, amount - taken)]
    settled = 0
    if amount < 0 and balance(session, merchant, A.DUES) > 0:
        settled = min(-amount, max(0, lock_for_debit(session, home, merchant, A.DUES)))
    return [credit(A.DUES, settled), credit(A.MERCHANT_BALANCE, -amount - settled)]
