"""The chart of accounts and the one function that posts to it (docs/explanation/money.md).

Debits are positive, credits negative. What somebody is owed (escrow, balances, wallets) is a credit.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from chadan.orders import number
from chadan.platform.errors import Conflict
from chadan.platform.scope import Session


class AccountKind(IntEnum):
    """What an account holds; the number is stored. Append only."""

    CLEARING = 1  # what a gateway owes us; owner: the payment channel
    ESCROW = 2  # buyers' money held until orders are completed
    MERCHANT_BALANCE = 3  # what the merchant may withdraw
    BUYER_WALLET = 4  # a buyer's money at a shop; owner: the buyer
    AGENT_WALLET = 5  # an agent's money at an upstream shop; owner: the agent's merchant id
    PLATFORM_FEES = 6  # what the platform earned
    GATEWAY_FEES = 7  # what gateways kept of orders that have not ended
    SUPPLIER_PREPAID = 8  # money lying with a supplier; owner: the supplier
    SUPPLIER_COST = 9  # what purchases from suppliers cost
    WITHDRAWALS = 10  # asked for, not paid out yet
    DUES = 11  # refunds and fees the merchant's balance did not cover
    OUTSIDE = 12  # the platform's bank, cash, and what was there before


CREDIT_KINDS = frozenset(
    {
        *(AccountKind.ESCROW, AccountKind.MERCHANT_BALANCE, AccountKind.BUYER_WALLET, AccountKind.AGENT_WALLET),
        *(AccountKind.PLATFORM_FEES, AccountKind.WITHDRAWALS),
    }
)
"""Accounts whose balance is a credit: shown with the sign turned."""


class PostingKind(StrEnum):
    """What a posting records."""

    PAYMENT = "payment"
    WALLET_PAYMENT = "wallet_payment"
    RELEASE = "release"
    REFUND = "refund"
    PURCHASE = "purchase"
    PURCHASE_RETURN = "purchase_return"
    TOPUP = "topup"
    WITHDRAWAL = "withdrawal"
    WITHDRAWAL_PAID = "withdrawal_paid"
    WITHDRAWAL_REFUSED = "withdrawal_refused"
    OPENING = "opening"


class WithdrawalStatus(IntEnum):
    """Where a withdrawal stands; the number is stored."""

    REQUESTED = 0
    PAID = 1
    REFUSED = 2


class CauseConflict(Conflict):
    """The same fact was posted before, about another order or another amount."""

    code = "cause_conflict"


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a posting: fen, debits positive."""

    kind: AccountKind
    amount: int
    owner_id: int = 0


def debit(kind: AccountKind, amount: int, owner_id: int = 0) -> Leg:
    """A leg that takes `amount` fen from somebody who is owed, or adds to what we are owed."""
    return Leg(kind, amount, owner_id)


def credit(kind: AccountKind, amount: int, owner_id: int = 0) -> Leg:
    """A leg that gives `amount` fen to somebody who is owed, or takes from what we are owed."""
    return Leg(kind, -amount, owner_id)


def shown(kind: AccountKind, amount: int) -> int:
    """A sum of entries as people read it: what somebody is owed is positive."""
    return -amount if kind in CREDIT_KINDS else amount


_POST = """
select ledger_post(%(home)s::smallint, %(merchant_id)s::bigint, %(kind)s, %(cause)s, %(amount)s::bigint,
                   %(order_no)s::bigint, %(actor)s::jsonb, %(memo)s,
                   %(kinds)s::smallint[], %(owners)s::bigint[], %(amounts)s::bigint[])
"""
_POSTED = "select order_no, merchant_id, amount from ledger_postings where home = %s and cause = %s"


def post(
    session: Session,
    kind: PostingKind,
    cause: str,
    legs: Iterable[Leg],
    *,
    home: int,
    merchant_id: int,
    amount: int,
    actor: Mapping[str, Any],
    order_no: int | None = None,
    memo: str = "",
) -> bool:
    """Posts once, in the session's transaction and in one statement; False when `cause` was posted before.

    `legs` on the same account are added up, empty ones left out. `amount` (fen, > 0) is what the posting is about. A cause
    is unique within its kind and home. Raises ValueError when the legs do not sum to zero or nothing is left of them, and
    CauseConflict when the cause was posted for another order or amount.
    """
    sums: dict[tuple[AccountKind, int], int] = defaultdict(int)
    for leg in legs:
        sums[leg.kind, leg.owner_id] += leg.amount
    moved = {account: fen for account, fen in sums.items() if fen}
    if sum(moved.values()) or not moved or amount <= 0 or not cause:
        raise ValueError(f"{kind}: a posting names its cause, an amount, and legs that sum to zero: {moved}")
    rows = session.rows(
        _POST,
        {
            "home": home,
            "merchant_id": merchant_id,
            "order_no": order_no,
            "amount": amount,
            "kind": str(kind),
            "cause": f"{kind}/{cause}",
            "actor": json.dumps(actor, ensure_ascii=False),
            "memo": memo,
            "kinds": [int(account_kind) for account_kind, _ in moved],
            "owners": [owner for _, owner in moved],
            "amounts": list(moved.values()),
        },
    )
    return rows[0][0] is not None or not posted(
        session, kind, cause, home=home, merchant_id=merchant_id, order_no=order_no, amount=amount
    )


def posted(
    session: Session, kind: PostingKind, cause: str, *, home: int, merchant_id: int, order_no: int | None, amount: int
) -> bool:
    """Whether this fact was posted before. Raises CauseConflict when it was, but for another order or amount."""
    rows = session.rows(_POSTED, (home, f"{kind}/{cause}"))
    if rows and rows[0] != (order_no, merchant_id, amount):
        about = f" for order {number.text(order_no)}" if order_no else ""
        raise CauseConflict(f"{kind}/{cause} was posted before, and not{about} over this amount.")
    return bool(rows)
