"""A purchase from stock, paid from a wallet in the moment it is placed: the wallet, the sale, its records, the ledger and the
job that tells the agent, in one transaction.

What the three steps place, pay and deliver write one after the other is written here at once (docs/decisions/043).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from chadan.catalog.models import Product
from chadan.delivery import alerts, instant
from chadan.money.accounts import AccountKind
from chadan.money.balances import InsufficientBalance
from chadan.orders.placing import NewOrder
from chadan.orders.states import DeliveryKind, PaymentMethod
from chadan.payments.records import out_no_of
from chadan.platform import jobs
from chadan.platform.errors import Conflict
from chadan.platform.scope import Session

BUY = (
    instant.SELL.replace("sell_from_stock(", "buy_from_stock(").rstrip().removesuffix(")")
    + """,
    %(wallet)s::smallint, %(contact)s::text, %(fields)s::jsonb, %(ip)s::text, %(return_path)s::text, %(out_no)s::text,
    %(once)s::text)
"""
)
"""delivery/sql/sell.sql says what comes back."""
_SHORT, _TWICE = 3, 4


def serves(product: Product) -> bool:
    """Whether the product is delivered from stock and nowhere else, so that `buy` can sell it."""
    version = product.version
    if version is None or version.delivery_kind != DeliveryKind.CARD.code or product.upstream_id is not None:
        return False
    return not product.sources.filter(active=True).exists()


def buy(session: Session, order: NewOrder, product: Product, actor: Mapping[str, Any]) -> int | None:
    """Sells the order from stock against its wallet (the agent's, else the buyer's), in the caller's transaction.

    Returns its number; None, and nothing has happened, when there are not enough cards. `session` must see the merchant's
    orders. Raises InsufficientBalance (nothing has happened) and Conflict (this `once` is being placed at the same moment: the
    caller's transaction is to be rolled back).
    """

    def more(order_no: int) -> dict[str, Any]:
        return records(order, order_no)

    order_no, said = instant.draw(
        session, BUY, order, product.pk, method=PaymentMethod.BALANCE, actor=actor, at=None, more=more
    )
    if said == _SHORT:
        raise InsufficientBalance(_("The wallet does not hold enough."), hint=_("Top it up, or pay another way."))
    if said == _TWICE:
        raise Conflict(
            "The same order is being placed at this very moment.", hint="Look at your orders, then try again."
        )
    if said != instant.SOLD:
        return None
    if order.agent_id is not None:
        tell(order_no)
    if product.low_stock:
        transaction.on_commit(lambda: alerts.check(product.pk))
    return order_no


def records(order: NewOrder, order_no: int) -> dict[str, Any]:
    """What BUY takes besides what `instant.SELL` does, by name."""
    wallet = AccountKind.BUYER_WALLET if order.agent_id is None else AccountKind.AGENT_WALLET
    return {
        "wallet": int(wallet),
        "contact": order.contact,
        "fields": json.dumps(dict(order.fields), ensure_ascii=False),
        "ip": order.ip,
        "return_path": order.return_path,
        "out_no": out_no_of(order_no, 1),
        "once": order.once,
    }


def tell(order_no: int) -> None:
    """Defers what a purchase's sale, and the agent's own system, have to hear of it."""
    jobs.job("delivery.purchase_done").defer(order_no=order_no)
