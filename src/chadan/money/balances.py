"""What accounts hold. A balance is the sum of entries: what was written down at the last closed day, and what came since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chadan.money.accounts import AccountKind, PostingKind, shown
from chadan.platform.errors import Conflict
from chadan.platform.scope import Session


class InsufficientBalance(Conflict):
    """The wallet or the balance does not hold that much."""

    code = "insufficient_balance"


WALLET_KINDS = {"buyer": AccountKind.BUYER_WALLET, "agent": AccountKind.AGENT_WALLET}

_ACCOUNT = """
where a.merchant_id = %(merchant_id)s and a.kind = %(kind)s and a.owner_id = %(owner_id)s and a.currency = 'CNY'
"""
_SUM = """
select coalesce(s.balance, 0) + coalesce((
    select sum(e.amount)::bigint from ledger_entries e
    where e.account_id = a.id and e.at >= coalesce(s.through, '-infinity') {until}), 0)
from ledger_accounts a
left join lateral (
    select balance, through from ledger_snapshots where account_id = a.id and home = a.home {through}
    order by through desc limit 1) s on true
"""
_BALANCE = _SUM.format(until="", through="") + _ACCOUNT
_BALANCE_AT = _SUM.format(until="and e.at < %(until)s", through="and through <= %(until)s") + _ACCOUNT
_WALLET = "select a.counted from ledger_accounts a" + _ACCOUNT

_OPEN = """
insert into ledger_accounts (home, merchant_id, kind, owner_id) values (%(home)s, %(merchant_id)s, %(kind)s, %(owner_id)s)
on conflict do nothing
"""
_HOLD = "select ledger_hold(%(home)s::smallint, %(merchant_id)s::bigint, %(kind)s::smallint, %(owner_id)s::bigint)"


def balance(
    session: Session, merchant_id: int, kind: AccountKind, owner_id: int = 0, *, until: datetime | None = None
) -> int:
    """Fen in an account as people read it (money.accounts.shown): now, or just before `until`; 0 for one never used."""
    now = _WALLET if kind in WALLET_KINDS.values() else _BALANCE
    sql = now if until is None else _BALANCE_AT
    rows = session.rows(sql, {"merchant_id": merchant_id, "kind": int(kind), "owner_id": owner_id, "until": until})
    return shown(kind, int(rows[0][0])) if rows else 0


def wallet(session: Session, merchant_id: int, owner_kind: str, owner_id: int) -> int:
    """Fen in the wallet that a buyer ("buyer") or an agent ("agent") holds with a merchant."""
    return balance(session, merchant_id, WALLET_KINDS[owner_kind], owner_id)


def lock_for_debit(session: Session, home: int, merchant_id: int, kind: AccountKind, owner_id: int = 0) -> int:
    """Fen in an account that nobody else can take from until this transaction ends.

    What adds to a wallet waits too (ledger_post); what adds to another account waits for nobody, and can only help.
    """
    key = {"home": home, "merchant_id": merchant_id, "kind": int(kind), "owner_id": owner_id}
    ((held,),) = session.rows(_HOLD, key)
    if held is None:
        session.run(_OPEN, key)
        ((held,),) = session.rows(_HOLD, key)
    return shown(kind, int(held))


_ORDER = """
select a.kind, sum(e.amount)::bigint
from ledger_entries e join ledger_accounts a on a.id = e.account_id and a.home = e.home
where e.order_no = %(order_no)s and e.home = %(home)s
group by 1
"""
_ORDER_TOTALS = """
select kind, sum(amount)::bigint from ledger_postings where order_no = %(order_no)s and home = %(home)s group by 1
"""


@dataclass(frozen=True, slots=True)
class OrderMoney:
    """Where the money of one order is, in fen, by its entries."""

    paid: int = 0
    refunded: int = 0
    held: int = 0  # in escrow
    gateway_fee: int = 0  # kept by the gateway, charged to nobody yet
    platform_fee: int = 0  # kept by the platform


def order_money(session: Session, order_no: int, home: int) -> OrderMoney:
    """The order's money; all zero for an order the ledger has never heard of."""
    key = {"order_no": order_no, "home": home}
    by_account, by_posting = session.many([(_ORDER, key), (_ORDER_TOTALS, key)])
    sums: dict[int, int] = dict(by_account)
    totals: dict[str, int] = dict(by_posting)

    def held_in(kind: AccountKind) -> int:
        return shown(kind, sums.get(kind, 0))

    return OrderMoney(
        paid=totals.get(PostingKind.PAYMENT, 0) + totals.get(PostingKind.WALLET_PAYMENT, 0),
        refunded=totals.get(PostingKind.REFUND, 0),
        held=held_in(AccountKind.ESCROW),
        gateway_fee=held_in(AccountKind.GATEWAY_FEES),
        platform_fee=held_in(AccountKind.PLATFORM_FEES),
    )


_TOTALS = """
with closed as (
    select through, totals from ledger_closings where summed_at is not null order by through desc limit 1
)
select kind, sum(amount)::bigint from (
    select key::smallint as kind, value::text::bigint as amount from closed, jsonb_each(totals)
    union all
    select a.kind, e.amount from ledger_entries e join ledger_accounts a on a.id = e.account_id and a.home = e.home
    where e.at >= coalesce((select through from closed), '-infinity')
) moved group by 1 order by 1
"""


def totals(session: Session) -> dict[AccountKind, int]:
    """Fen in all accounts of each kind, as people read it: the whole platform, for the operator's session."""
    return {AccountKind(kind): shown(AccountKind(kind), int(fen)) for kind, fen in session.rows(_TOTALS)}
