"""Does the ledger hold together? What tests assert after every run and `doctor` looks at on a living system."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from chadan.money.accounts import CREDIT_KINDS, AccountKind, PostingKind
from chadan.money.balances import WALLET_KINDS
from chadan.orders import number
from chadan.orders.figures import figures
from chadan.orders.states import OrderStatus
from chadan.platform.scope import Session

CHUNK = 1000
MOST = 20
ENDED = frozenset({OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.REFUNDED})
NEVER_BELOW_ZERO = frozenset({*CREDIT_KINDS, AccountKind.DUES, AccountKind.GATEWAY_FEES})
_LONG_AGO = datetime.min.replace(year=1970, tzinfo=number.SHANGHAI)

_UNEVEN_POSTINGS = """
select p.id from ledger_postings p
left join ledger_entries e on e.posting_id = p.id and e.home = p.home
where p.id > coalesce((select min(posting_id) from ledger_entries where at >= %(since)s), 0) - 1
  and (%(everybody)s or p.merchant_id = any(%(merchants)s::bigint[]))
group by p.id having coalesce(sum(e.amount), 0) <> 0 or count(e.amount) < 2
order by 1 limit %(most)s
"""
_DRIFTED = """
select a.id, a.kind, coalesce(s.balance, 0) + coalesce((
    select sum(amount)::bigint from ledger_entries where account_id = a.id and at >= coalesce(s.through, '-infinity')), 0),
    case when %(all)s then coalesce((select sum(amount)::bigint from ledger_entries where account_id = a.id), 0) end,
    a.counted
from ledger_accounts a
left join lateral (
    select balance, through from ledger_snapshots where account_id = a.id and home = a.home order by through desc limit 1
) s on true
where (%(all)s or exists (select from ledger_entries where account_id = a.id and at >= %(since)s))
  and (%(everybody)s or a.merchant_id = any(%(merchants)s::bigint[]))
"""
_ORDERS = """
select distinct order_no from ledger_entries
where at >= %(since)s and order_no > %(after)s and (%(everybody)s or merchant_id = any(%(merchants)s::bigint[]))
order by 1 limit %(most)s
"""
_ORDER_ACCOUNTS = """
select e.order_no, a.kind, sum(e.amount)::bigint
from ledger_entries e join ledger_accounts a on a.id = e.account_id and a.home = e.home
where e.order_no = any(%(orders)s::bigint[]) and a.kind in (2, 7)
group by 1, 2
"""
_ORDER_POSTINGS = """
select order_no, kind, sum(amount)::bigint from ledger_postings where order_no = any(%(orders)s::bigint[]) group by 1, 2
"""


def check(session: Session, since: datetime | None = None) -> list[str]:
    """What is wrong, in sentences, the first of each kind; nothing when the books are right.

    `since` looks only at what moved from then on; without it every entry is read. The session is the operator's, or a
    merchant's for its own books.
    """
    moment = since or _LONG_AGO
    found = [
        f"Posting {row[0]} does not sum to zero."
        for row in session.rows(_UNEVEN_POSTINGS, _args(session, moment, most=MOST))
    ]
    for account, kind, balance, full, counted in session.rows(
        _DRIFTED, {"all": since is None, **_args(session, moment)}
    ):
        if full is not None and full != balance:
            found.append(f"Account {account} holds {full} fen by its entries, {balance} by its snapshot and tail.")
        if kind in WALLET_KINDS.values() and counted != balance:
            found.append(f"Account {account} was counted {counted - balance} fen away from its entries.")
        if kind in NEVER_BELOW_ZERO and (-balance if kind in CREDIT_KINDS else balance) < 0:
            found.append(f"Account {account} ({AccountKind(kind).name.lower()}) is below zero.")
    return found + [f"Order {number.text(order_no)}: {why}" for order_no, why in uneven_orders(session, since)]


def uneven_orders(session: Session, since: datetime | None = None) -> list[tuple[int, str]]:
    """Orders whose money does not add up, each with the reason: at most the first MOST.

    After an order has ended nothing of it is held but what a refund under way is to give back (money that came when no order
    could take it any more); before, what is held is what was paid and has not gone back; its row
    says the same as the ledger.
    """
    found: list[tuple[int, str]] = []
    for orders in _chunks(session, since or _LONG_AGO):
        found += _uneven(session, orders)
        if len(found) >= MOST:
            break
    return found[:MOST]


def _chunks(session: Session, since: datetime) -> Iterator[list[int]]:
    after = 0
    while rows := session.rows(_ORDERS, _args(session, since, after=after, most=CHUNK)):
        yield [row[0] for row in rows]
        after = rows[-1][0]


def _uneven(session: Session, orders: list[int]) -> Iterator[tuple[int, str]]:
    accounts, postings = session.many([(_ORDER_ACCOUNTS, {"orders": orders}), (_ORDER_POSTINGS, {"orders": orders})])
    held = {(order_no, kind): fen for order_no, kind, fen in accounts}
    moved = {(order_no, kind): fen for order_no, kind, fen in postings}
    known = figures(session, orders)
    for order_no in orders:
        row = known.get(order_no)
        if row is None:
            yield order_no, "there are entries, but no such order."
            continue
        paid = moved.get((order_no, PostingKind.PAYMENT), 0) + moved.get((order_no, PostingKind.WALLET_PAYMENT), 0)
        refunded = moved.get((order_no, PostingKind.REFUND), 0)
        escrow = -held.get((order_no, AccountKind.ESCROW), 0)
        fee = held.get((order_no, AccountKind.GATEWAY_FEES), 0)
        released = (order_no, PostingKind.RELEASE) in moved
        if (paid, refunded) != (row.paid, row.refunded):
            yield order_no, f"paid {paid} and refunded {refunded} fen, its row says {row.paid} and {row.refunded}."
        if row.status in ENDED and (escrow > row.queued or (fee and not row.queued)):
            yield order_no, f"it has ended, and {escrow} fen of it are held, {fee} fen of fees open."
        if row.status not in ENDED and not released and escrow != paid - refunded:
            yield order_no, f"{escrow} fen are held of {paid - refunded}."


def _args(session: Session, since: datetime, **more: int) -> dict[str, object]:
    # An agent sees the entries of its wallets in other shops' books: one leg of their postings, which is no harm.
    scope = session.scope
    return {"since": since, "everybody": scope.operator, "merchants": list(scope.merchants), **more}
