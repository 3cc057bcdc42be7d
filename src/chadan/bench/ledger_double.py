"""What posts a payment in `bench orders`: the money room's function; without that room the same rows, written here."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

from chadan.bench.sites import Site
from chadan.platform.scope import Session

Ledger = Callable[..., bool]


def real_ledger() -> bool:
    """Whether the money room is there."""
    return importlib.util.find_spec("chadan.money.flows") is not None


def ledger() -> Ledger:
    """What posts a payment: the money room's own function, or, where it is not installed, the same rows written here."""
    if real_ledger():
        received: Ledger = importlib.import_module("chadan.money.flows").payment_received
        return received
    return _posted


_POSTING = """
with posted as (
    insert into ledger_postings (home, kind, cause, merchant_id, order_no, actor)
    values (%(home)s, 'payment', %(cause)s, %(merchant_id)s, %(order_no)s, '{"kind": "system", "name": "bench"}')
    on conflict (home, cause) do nothing returning id
)
insert into ledger_entries (posting_id, account_id, amount, order_no)
select p.id, e.account_id, e.amount, %(order_no)s
from posted p, unnest(%(accounts)s::bigint[], %(amounts)s::bigint[]) as e (account_id, amount)
"""


def _posted(session: Session, order: Any, *, channel_id: int, amount: int, fee: int, cause: str, actor: Any) -> bool:  # noqa: ARG001 - the room's signature
    accounts = _accounts(session, order)
    values = {
        "home": order.home,
        "cause": cause,
        "merchant_id": order.merchant_id,
        "order_no": order.order_no,
        "accounts": accounts,
        "amounts": [amount - fee, fee, -amount],
    }
    return session.run(_POSTING, values) > 0


_KNOWN: dict[int, list[int]] = {}


def _accounts(session: Session, order: Any) -> list[int]:
    if order.merchant_id not in _KNOWN:
        rows = session.rows(
            "select id from ledger_accounts where shop_id = %s and owner_id = %s order by kind",
            (order.merchant_id, order.merchant_id),
        )
        _KNOWN[order.merchant_id] = [row[0] for row in rows]
    return _KNOWN[order.merchant_id]


def open_accounts(site: Site, merchant_id: int) -> None:
    """The accounts the double posts to."""
    with site.bare() as owner, owner.cursor() as cursor:
        for kind in (101, 102, 103):
            cursor.execute(
                "insert into ledger_accounts (home, kind, owner_id, shop_id) values (999, %s, %s, %s)",
                (kind, merchant_id, merchant_id),
            )
