"""A purchase from stock, paid from a wallet in the moment it is placed: the wallet, the sale, its records, the ledger and the
job that tells the agent, in one transaction.

What the three steps place, pay and deliver write one after the other is written here at once (docs/decisions/043).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from chadan.catalog.models import Product
from chadan.delivery import alerts, instant
from chadan.money import flows
from chadan.orders import number
from chadan.orders.placing import NewOrder
from chadan.orders.states import DeliveryKind, OrderStatus, PaymentMethod, RefKind
from chadan.orders.transitions import Locked
from chadan.payments.records import out_no_of
from chadan.platform import jobs
from chadan.platform.errors import Conflict
from chadan.platform.scope import Session

RECORDS = """
with checked_out as (
    insert into order_checkouts (order_no, home, merchant_id, contact, fields, ip, return_path, expires_at)
    values (%(order_no)s::bigint, %(home)s::smallint, %(merchant_id)s::bigint, %(contact)s, %(fields)s::jsonb, %(ip)s,
            %(return_path)s, now())
), paid as (
    insert into order_payments (order_no, home, seq, method, status, amount, out_no, txn_no, created_at, paid_at)
    values (%(order_no)s::bigint, %(home)s::smallint, 1, %(method)s::smallint, 1, %(amount)s::bigint, %(out_no)s, %(out_no)s,
            now(), now())
), delivered as (
    insert into order_deliveries (order_no, home, seq, kind, status, created_at, delivered_at)
    values (%(order_no)s::bigint, %(home)s::smallint, 1, %(delivery_kind)s::smallint, 2, now(), now())
)
insert into external_refs (home, kind, scope_id, ref, order_no)
select %(home)s::smallint, kind, scope_id, ref, %(order_no)s::bigint
from unnest(%(kinds)s::smallint[], %(scopes)s::bigint[], %(refs)s::text[]) as known (kind, scope_id, ref)
on conflict do nothing
"""


def serves(product: Product) -> bool:
    """Whether the product is delivered from stock and nowhere else, so that `buy` can sell it."""
    version = product.version
    if version is None or version.delivery_kind != DeliveryKind.CARD.code or product.upstream_id is not None:
        return False
    return not product.sources.filter(active=True).exists()


def buy(session: Session, order: NewOrder, product: Product, actor: Mapping[str, Any]) -> int | None:
    """Sells the order from stock against its wallet (the agent's, else the buyer's), in the caller's transaction.

    Returns its number; None, and nothing has happened, when there are not enough cards. `session` must see the merchant's
    orders. Raises InsufficientBalance and Conflict (this `once` is being placed at the same moment): the caller's
    transaction is then to be rolled back.
    """
    order_no = instant.sell(session, order, product.pk, method=PaymentMethod.BALANCE, actor=actor)
    if order_no is None:
        return None
    refs = records(order, order_no)
    if session.run(RECORDS, refs) != len(refs["kinds"]):
        raise Conflict(
            "The same order is being placed at this very moment.", hint="Look at your orders, then try again."
        )
    flows.wallet_paid(
        session, _sold(order, order_no), amount=order.amount, cause=instant.cause_of(order_no), actor=actor
    )
    if order.agent_id is not None:
        tell(order_no)
    if product.low_stock:
        transaction.on_commit(lambda: alerts.check(product.pk))
    return order_no


def records(order: NewOrder, order_no: int) -> dict[str, Any]:
    """What RECORDS takes, by name."""
    guards = [(RefKind.PAYMENT.code, 0, out_no_of(order_no, 1))]
    if order.once:
        guards.append((RefKind.PLACEMENT.code, order.merchant_id, order.once))
    return {
        "order_no": order_no,
        "home": order.home,
        "merchant_id": order.merchant_id,
        "contact": order.contact,
        "fields": json.dumps(dict(order.fields), ensure_ascii=False),
        "ip": order.ip,
        "return_path": order.return_path,
        "method": PaymentMethod.BALANCE.code,
        "amount": order.amount,
        "out_no": out_no_of(order_no, 1),
        "delivery_kind": DeliveryKind.CARD.code,
        "kinds": [kind for kind, _scope, _ref in guards],
        "scopes": [scope for _kind, scope, _ref in guards],
        "refs": [ref for _kind, _scope, ref in guards],
    }


def tell(order_no: int) -> None:
    """Defers what a purchase's sale, and the agent's own system, have to hear of it."""
    jobs.job("delivery.purchase_done").defer(order_no=order_no)


def _sold(order: NewOrder, order_no: int) -> Locked:
    """The order as `lock` would give it: its row is this transaction's own."""
    return Locked(
        *(order_no, order.home, OrderStatus.DELIVERED, None, order.amount, order.amount, 0),
        *(order.merchant_id, order.buyer_id, order.agent_id, order.parent_order_no, number.now()),
    )
