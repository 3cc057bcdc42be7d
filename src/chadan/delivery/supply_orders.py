"""Orders that agents place from their own systems (docs/reference/supply-api.md), and the callbacks that tell them what came of it.

An order is placed and paid from the agent's wallet in one transaction, once for each number of the agent's.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_  # noqa: N812 - the name gettext tools look for

from chadan.accounts.actors import Actor
from chadan.accounts.models import Merchant
from chadan.catalog import fields as catalog_fields
from chadan.catalog.models import Product
from chadan.delivery import agents, wallet_sale, webhook_secrets, webhook_signing
from chadan.delivery.models import SupplyOrder
from chadan.orders import events, number
from chadan.orders.placing import NewOrder, place, placed_before
from chadan.orders.states import OrderStatus
from chadan.orders.vault import Vault
from chadan.platform import http_call, jobs
from chadan.platform.config import get_config
from chadan.platform.errors import InvalidInput, NotFound
from chadan.platform.http_call import Unreachable, is_loopback
from chadan.platform.scope import OPERATOR, Scope, Session, scoped

log = logging.getLogger(__name__)
Json = dict[str, Any]
PAUSES = (5, 30, 120, 300, 1800, 7200, 18_000, 36_000)
"""Seconds after each callback nobody took; after the last it is given up."""
FAILED = N_("The goods could not be delivered.")
_LONGEST_URL = 500
_IN_PART = "-"
"""Between a delivered order's state and the fen that went back, as `told` keeps it."""
_SHIPPED = frozenset({OrderStatus.DELIVERED, OrderStatus.COMPLETED})
_TOLD = frozenset({*_SHIPPED, OrderStatus.FAILED, OrderStatus.REFUNDED, OrderStatus.CANCELLED})
_STATE = """
select status, amount, quantity, paid, refunded from orders where order_no = %s and home = %s and agent_id = %s
"""
_CARDS = """
select c.merchant_id, c.card_id, c.key_id, c.secret from order_cards c
join orders o on o.order_no = c.order_no and o.home = c.home
where c.order_no = %s and c.home = %s and o.agent_id = %s order by c.line
"""


class Refused(InvalidInput):
    """The order is wrong in itself; sending it again will not help."""

    code = "order_refused"
    status = 422


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an agent orders."""

    product_id: int
    quantity: int
    your_order_no: str
    account: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    callback_url: str = ""


def place_order(agent: Merchant, wanted: Wanted, actor: Mapping[str, Any]) -> Json:
    """Places and pays an order in the caller's transaction, from stock delivers it too; what `shown` says of it, without cards.

    Raises NotFound (the product is not open to this agent), Refused, InsufficientBalance.
    """
    from chadan.payments import facts

    product, level = _product(agent, wanted.product_id)
    values = _checked(agent, product, wanted)
    version = product.version
    assert version is not None  # noqa: S101 - `_product` chose it
    buyer = agents.buyer_of(agent)
    order = NewOrder(
        merchant_id=product.merchant_id,
        home=product.home,
        buyer_id=buyer.pk,
        buyer_login=buyer.login,
        buyer_name=buyer.name,
        version_id=version.pk,
        category=version.category,
        face_value=version.face_value,
        quantity=wanted.quantity,
        amount=agents.price(product, level) * wanted.quantity,
        cost=product.cost * wanted.quantity,
        platform="api",
        account=catalog_fields.account_of(catalog_fields.read(product.fields), values) or wanted.account,
        agent_id=agent.pk,
        contact=agent.slug,
        fields={name: value for name, value in values.items() if value},
        once=f"supply:{agent.pk}:{wanted.your_order_no}",
    )
    with scoped(Scope(merchants=(product.merchant_id,), homes=(product.home,))) as session:
        if placed_before(session, order):
            raise Refused(_("You have used this order number before."), field="your_order_no")
        at_once = order.amount > 0 and wallet_sale.serves(product)
        bought = wallet_sale.buy(session, order, product, actor) if at_once else None
        order_no = place(session, order, actor).order_no if bought is None else bought
        kept = SupplyOrder.objects.create(
            order_no=order_no,
            home=product.home,
            merchant_id=product.merchant_id,
            agent_id=agent.pk,
            product_id=product.pk,
            your_order_no=wanted.your_order_no,
            callback_url=wanted.callback_url,
        )
        if bought is None and order.amount:
            facts.pay_from_wallet(session, order_no, None, actor)
        elif bought is None:
            facts.pay_nothing(session, order_no, actor)
        return _shown(session, kept, [])  # the answer is kept for repeats of the call: no card may lie there


def shown(actor: Actor, order_no: int) -> Json:
    """One of the agent's orders as it stands, its cards in clear once delivered (an event says so). Raises NotFound."""
    with scoped(actor.scope) as session:
        session.enter()
        kept = SupplyOrder.objects.filter(pk=order_no, agent_id=actor.merchant_id or 0).first()
        if kept is None:
            raise NotFound(_("There is no such order."))
        return _shown(session, kept, _cards(session, kept, events.actor_json(actor)))


def by_your_number(actor: Actor, your_order_no: str, merchant: str = "") -> list[Json]:
    """The agent's orders of that number, one a shop. `merchant` is a shop's short name."""
    found = SupplyOrder.objects.filter(agent_id=actor.merchant_id or 0, your_order_no=your_order_no)
    if merchant:
        found = found.filter(merchant_id__in=Merchant.objects.filter(slug=merchant).values("pk"))
    with scoped(actor.scope) as session:
        session.enter()
        return [shown(actor, kept.order_no) for kept in found.order_by("order_no")]


def changed(order_no: int) -> None:
    """Defers the callback about a state the agent has not acknowledged."""
    kept = _to_be_told(order_no)
    if kept is None or _status(kept) in ("", kept.told):
        return
    jobs.job("delivery.tell_agent").defer(order_no=order_no, attempt=1)


def tell(order_no: int, attempt: int) -> None:
    """Sends the callback about the order's state now; comes back with growing pauses until it is taken."""
    kept = _to_be_told(order_no)
    if kept is None:
        return
    status = _status(kept)
    secret = webhook_secrets.of(kept.agent_id)
    if status in ("", kept.told) or not secret:
        return
    with scoped(OPERATOR) as session:
        actor = events.system("supply")
        data = _shown(session, kept, _cards(session, kept, actor))
    error = _send(kept, secret, status, data)
    kept.attempts, kept.last_error = attempt, error[:300]
    if not error:
        kept.told = status
    with scoped(OPERATOR) as session:
        session.enter()
        kept.save(update_fields=["attempts", "last_error", "told"])
    if error and attempt <= len(PAUSES):
        pause = {"seconds": PAUSES[attempt - 1]}
        jobs.job("delivery.tell_agent", schedule_in=pause).defer(order_no=order_no, attempt=attempt + 1)


def _to_be_told(order_no: int) -> SupplyOrder | None:
    with scoped(OPERATOR) as session:
        session.enter()
        return SupplyOrder.objects.filter(pk=order_no).exclude(callback_url="").first()


def _send(kept: SupplyOrder, secret: str, status: str, data: Json) -> str:
    """One try; "" when it was taken, else why not."""
    now = datetime.now(UTC)
    word, _more, in_part = status.partition(_IN_PART)
    said = {
        "type": "order.refunded_in_part" if in_part else f"order.{word}",
        "timestamp": now.isoformat(timespec="seconds"),
        "data": data,
    }
    body = json.dumps(said, ensure_ascii=False).encode()
    message_id, stamp = f"{number.text(kept.order_no)}.{status}", str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": webhook_signing.signature(secret, message_id, stamp, body),
    }
    try:
        reply = http_call.call("POST", kept.callback_url, body=body, headers=headers)
    except Unreachable as error:
        return error.message
    return "" if reply.status // 100 == 2 else f"HTTP {reply.status}"


def _product(agent: Merchant, product_id: int) -> tuple[Product, int]:
    """A product that is open to the agent, and the agent's level there. Raises NotFound."""
    found = Product.objects.filter(pk=product_id, open_to_agents=True, active=True, version__isnull=False)
    product = found.select_related("version", "merchant").first()
    standing = agents.reseller(product.merchant_id, agent.pk) if product else None
    if product is None or standing is None:
        raise NotFound(_("This product is not open to you."), field="product_id")
    return product, standing.level


def _checked(agent: Merchant, product: Product, wanted: Wanted) -> dict[str, str]:
    """The tidied fields. Raises Refused."""
    from chadan.storefront import stock

    if not product.min_quantity <= wanted.quantity <= product.max_quantity:
        span = {"least": product.min_quantity, "most": product.max_quantity}
        raise Refused(_("Choose a quantity from %(least)d to %(most)d.") % span, field="quantity")
    left = stock.available([product])[product.pk]
    if left is not None and left < wanted.quantity:
        raise Refused(_("There is not enough of it in stock."), field="quantity")
    _check_callback(agent, wanted.callback_url)
    asked = catalog_fields.read(product.fields)
    given = dict(wanted.fields)
    if wanted.account:
        first = next((each.name for each in asked if each.kind in catalog_fields.ACCOUNTS), None)
        if first is not None:
            given.setdefault(first, wanted.account)
    values, errors = catalog_fields.clean_all(asked, given)
    if errors:
        name, sentence = next(iter(errors.items()))
        raise Refused(sentence, field=name)
    return values


def _check_callback(agent: Merchant, url: str) -> None:
    if not url:
        return
    parts = urlsplit(url)
    host = parts.hostname or ""
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host) and get_config().sandbox)
    if not safe or not host or parts.username or len(url) > _LONGEST_URL:
        raise Refused(_("A callback goes to an https address."), field="callback_url")
    if not webhook_secrets.of(agent.pk):
        hint = _("Make a signing secret on the Agents page.")
        raise Refused(_("Callbacks need a signing secret."), hint=hint, field="callback_url")


def _status(kept: SupplyOrder) -> str:
    """The state worth a callback, and after a refund in part how much went back; "" while the order is under way."""
    with scoped(OPERATOR) as session:
        code, *_rest, refunded = session.rows(_STATE, (kept.order_no, kept.home, kept.agent_id))[0]
    status = OrderStatus.of(code)
    if status in _SHIPPED:
        return f"delivered{_IN_PART}{refunded}" if refunded else "delivered"
    return status.value if status in _TOLD else ""


def _cards(session: Session, kept: SupplyOrder, actor: Mapping[str, Any]) -> list[str]:
    """The order's cards, in clear; giving them away is an event."""
    if not _is_shipped(session, kept):
        return []
    vault = Vault()
    found = session.rows(_CARDS, (kept.order_no, kept.home, kept.agent_id))
    cards = [vault.open(owner, card_id, key_id, bytes(secret)) for owner, card_id, key_id, secret in found]
    if cards:
        events.append(session, kept.order_no, "card.revealed", actor, {"cards": len(cards)})
    return cards


def _is_shipped(session: Session, kept: SupplyOrder) -> bool:
    row = session.rows(_STATE, (kept.order_no, kept.home, kept.agent_id))
    return bool(row) and OrderStatus.of(row[0][0]) in {*_SHIPPED, OrderStatus.AFTER_SALE}


def _shown(session: Session, kept: SupplyOrder, cards: list[str]) -> Json:
    status, amount, quantity, paid, refunded = session.rows(_STATE, (kept.order_no, kept.home, kept.agent_id))[0]
    word = OrderStatus.of(status)
    return {
        "order_no": number.text(kept.order_no),
        "your_order_no": kept.your_order_no,
        "product_id": str(kept.product_id),
        "quantity": quantity,
        "status": word.value,
        "amount": yuan(amount),
        "paid": yuan(paid),
        "refunded": yuan(refunded),
        "currency": "CNY",
        "cards": cards,
        "reason": _(FAILED) if word is OrderStatus.FAILED else "",
    }


def yuan(fen: int) -> str:
    """Fen as a decimal string."""
    return f"{fen // 100}.{fen % 100:02d}"
