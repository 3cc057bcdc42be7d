"""An agent's sale, delivered by a purchase at the merchant above it in this installation.

Sale and purchase name each other: the purchase its `parent_order_no`, the sale's delivery row the purchase's number. The purchase
is placed and paid from the agent's wallet in one transaction, once; what it delivers is sealed again under the agent's key. The two
keep separate ledgers; the sale costs what its purchases kept, so each side's margin is right to the fen, whatever goes back when.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_noop as N_  # noqa: N812 - the name gettext tools look for

from chadan.accounts.models import Merchant
from chadan.catalog.models import Product
from chadan.delivery import agents, costs, results, rows, supplier_rows, wallet_sale
from chadan.orders import events, number
from chadan.orders.events import system
from chadan.orders.placing import NewOrder, place, placed_before
from chadan.orders.states import DeliveryKind, DeliveryStatus, OrderStatus
from chadan.orders.transitions import Locked, lock, transition
from chadan.orders.vault import Vault
from chadan.platform.scope import OPERATOR, Session, scoped

MACHINE = system("agents")
BOUGHT = N_("Bought from the shop above.")
DELIVERED = N_("Delivered through the shop above.")
FAILED = N_("The goods could not be delivered.")
NO_MONEY = N_("The wallet at the shop above does not hold enough. Top it up.")
NOT_OPEN = N_("The shop above does not sell this to us any more.")
GIVEN_BACK = N_("The purchase was not delivered.")
TOO_LATE = N_("The goods came when the order no longer waited for them.")

_OPEN = frozenset({OrderStatus.PAID, OrderStatus.PROCESSING})
_DONE = frozenset({OrderStatus.DELIVERED, OrderStatus.COMPLETED})
_OVER = frozenset({OrderStatus.FAILED, OrderStatus.REFUNDED, OrderStatus.CANCELLED})
_SALE = """
select o.quantity, o.account, coalesce(c.fields, '{}'::jsonb)::text, v.product_id, v.delivery_kind, o.paid_at
from orders o join product_versions v on v.id = o.version_id
left join order_checkouts c on c.order_no = o.order_no and c.home = o.home
where o.order_no = %s and o.home = %s
"""
_PURCHASES = """
select seq, status, supplier_no from order_deliveries
where order_no = %s and home = %s and request_no like 'resale:%%' order by seq
"""
_INSERT = """
insert into order_deliveries (order_no, home, seq, kind, status, supplier_no, request_no, cost, created_at, attempts, asked_at,
                              due_at)
select %(order_no)s, %(home)s,
       (select coalesce(max(seq), 0) + 1 from order_deliveries where order_no = %(order_no)s and home = %(home)s),
       %(kind)s, 1, %(supplier_no)s, %(request_no)s, %(cost)s, now(), 1, now(), %(due_at)s
"""
_DROP_WAITING = "delete from order_deliveries where order_no = %s and home = %s and status = 0 and request_no = ''"
_KEPT = """
update order_deliveries set cost = %s where order_no = %s and home = %s and request_no like 'resale:%%' and supplier_no = %s
"""
_CARDS = """
select merchant_id, card_id, key_id, secret from order_cards where order_no = %s and home = %s order by line
"""
_SETTLED = """
select p.order_no from orders o
join order_deliveries d on d.order_no = o.order_no and d.home = o.home
cross join lateral (select case when d.request_no like 'resale:%%' then d.supplier_no::bigint end as no) as bought
join orders p on p.order_no = bought.no and p.home = bought.no / 100000 %% 1000
where o.status = 2 and d.status = 1 and d.request_no like 'resale:%%' and p.status = any(%s::smallint[])
order by o.order_no limit 500
"""
_WAITING = """
select o.order_no from orders o
join order_deliveries d on d.order_no = o.order_no and d.home = o.home
join product_versions v on v.id = o.version_id
join products p on p.id = v.product_id
where o.status in (1, 2) and d.status = 0 and d.attempts > 0 and d.reason = %s and p.upstream_id is not null
  and (%s::bigint is null or o.merchant_id = %s)
order by o.order_no limit 500
"""


def start(order_no: int) -> None:
    """Buys a paid sale's goods at the merchant above, once. Without money in the wallet the sale waits; with nothing on offer
    it fails.
    """
    with scoped(OPERATOR) as session:
        sale = lock(session, order_no)
        made = _purchases(session, sale)
        if sale.status not in _OPEN or any(status in (0, 1) for _seq, status, _no in made):
            return
        quantity, account, fields, product_id, kind, paid_at = session.rows(_SALE, (sale.order_no, sale.home))[0]
        ours = Product.objects.select_related("merchant", "upstream__merchant", "upstream__version").get(pk=product_id)
        goods = ours.upstream
        standing = agents.reseller(goods.merchant_id, sale.merchant_id) if goods is not None else None
        due_at = (paid_at or number.now()) + timedelta(minutes=ours.sla_minutes)
        kind = DeliveryKind.of(kind)
        if goods is None or standing is None or not (goods.active and goods.open_to_agents and goods.version):
            cause = f"resale:not open:{supplier_rows.next_seq(session, sale)}"
            results.failed(session, order_no, reason=NOT_OPEN, actor=MACHINE, cause=cause)
            return
        amount = agents.price(goods, standing.level) * quantity
        order = _new_order(ours.merchant, goods, quantity=quantity, amount=amount, account=account, fields=fields)
        once = f"resale:{number.text(order_no)}" + (f":{len(made) + 1}" if made else "")
        purchase_no = _buy(session, order, goods, sale, once)
        if purchase_no is None:
            rows.wait(session, order_no, kind=kind, reason=NO_MONEY, due_at=due_at)
            return
        _link(session, sale, purchase_no, kind=kind, once=once, amount=amount, due_at=due_at)


def purchase_done(purchase_no: int) -> None:
    """What a purchase came to, the sale it was made for comes to as well. A failed one is paid back, whoever ordered it: an agent's
    own system is told that it is over. Any number of times.
    """
    with scoped(OPERATOR) as session:
        purchase = lock(session, purchase_no)
        if purchase.agent_id is None or purchase.status not in _DONE | _OVER:
            return
        if purchase.status in _OVER:
            _give_back(session, purchase)
        if purchase.parent_order_no is None:
            return
        sale = lock(session, purchase.parent_order_no)
        linked = {no: status for _seq, status, no in _purchases(session, sale)}
        if linked.get(number.text(purchase_no)) != DeliveryStatus.SENDING.code or sale.status is OrderStatus.AFTER_SALE:
            return  # after the case `settled` finds it
        cause = f"purchase:{number.text(purchase_no)}"
        if sale.status is not OrderStatus.PROCESSING:
            kind = rows.kind_of(session, sale.order_no)
            rows.close(session, sale.order_no, DeliveryStatus.FAILED, kind=kind, reason=TOO_LATE)
        elif purchase.status in _OVER:
            results.failed(session, sale.order_no, reason=FAILED, actor=MACHINE, cause=cause)
        else:
            _pass_on(session, purchase, sale, cause)


def given_back(purchase_no: int) -> None:
    """Money of a purchase went back into the agent's wallet: its sale costs so much less, and the agent hears of it. Any number
    of times.
    """
    with scoped(OPERATOR) as session:
        purchase = lock(session, purchase_no)
        if purchase.parent_order_no is None or not purchase.refunded:
            return
        sale = lock(session, purchase.parent_order_no)
        known = number.text(purchase_no)
        if known not in {no for _seq, _status, no in _purchases(session, sale)}:
            return
        _keep(session, sale, purchase)
        if costs.correct(session, sale):
            fact = {"purchase": known, "refunded": purchase.refunded}
            events.append(session, sale.order_no, "supply.returned", MACHINE, fact)
            from chadan.delivery.supply_tasks import tell_of_return

            tell_of_return.defer(order_no=sale.order_no, purchase_no=purchase_no)


def settled() -> list[int]:
    """Purchases that ended while their sales still wait: their jobs were lost, or they ended in another way."""
    codes = [status.code for status in _DONE | _OVER]
    with scoped(OPERATOR) as session:
        return [int(row[0]) for row in session.rows(_SETTLED, (codes,))]


def waiting_for_money(agent_id: int | None = None) -> list[int]:
    """Sales (of one agent, or all) that wait for money in a wallet."""
    with scoped(OPERATOR) as session:
        return [int(row[0]) for row in session.rows(_WAITING, (NO_MONEY, agent_id, agent_id))]


def _buy(session: Session, order: NewOrder, goods: Product, sale: Locked, once: str) -> int | None:
    """Places and pays the purchase, from stock at once; None, and nothing is placed, when the wallet does not hold enough."""
    from chadan.money.balances import InsufficientBalance
    from chadan.payments import facts

    order = replace(order, parent_order_no=sale.order_no, once=once)
    try:
        with transaction.atomic():
            fresh = order.amount > 0 and placed_before(session, order) is None
            if fresh and wallet_sale.serves(goods):
                bought = wallet_sale.buy(session, order, goods, MACHINE)
                if bought is not None:
                    return bought
            placed = place(session, order, MACHINE)
            if order.amount:
                facts.pay_from_wallet(session, placed.order_no, None, MACHINE)
            else:
                facts.pay_nothing(session, placed.order_no, MACHINE)
    except InsufficientBalance:
        return None
    return placed.order_no


def _new_order(agent: Merchant, goods: Product, *, quantity: int, amount: int, account: str, fields: str) -> NewOrder:
    version = goods.version
    assert version is not None  # noqa: S101 - the caller looked
    buyer = agents.buyer_of(agent)
    return NewOrder(
        merchant_id=goods.merchant_id,
        home=goods.merchant.home,
        buyer_id=buyer.pk,
        buyer_login=buyer.login,
        buyer_name=buyer.name,
        version_id=version.pk,
        category=version.category,
        face_value=version.face_value,
        quantity=quantity,
        amount=amount,
        cost=goods.cost * quantity,
        account=account,
        agent_id=agent.pk,
        contact=agent.slug,
        fields=json.loads(fields),
    )


def _link(
    session: Session, sale: Locked, purchase_no: int, *, kind: DeliveryKind, once: str, amount: int, due_at: datetime
) -> None:
    """The sale names its purchase, and is under way."""
    session.run(_DROP_WAITING, (sale.order_no, sale.home))
    values = {"order_no": sale.order_no, "home": sale.home, "kind": kind.code, "supplier_no": number.text(purchase_no)}
    session.run(_INSERT, {**values, "request_no": once, "cost": amount, "due_at": due_at})
    costs.correct(session, sale)
    events.append(session, sale.order_no, "supply.requested", MACHINE, {"purchase": number.text(purchase_no)})
    if sale.status is OrderStatus.PAID:
        cause = f"purchase:{number.text(purchase_no)}"
        transition(session, sale.order_no, OrderStatus.PROCESSING, actor=MACHINE, reason=BOUGHT, cause=cause)


def _pass_on(session: Session, purchase: Locked, sale: Locked, cause: str) -> None:
    """The purchase's cards, sealed again under the agent's key as the sale's."""
    vault = Vault()
    found = session.rows(_CARDS, (purchase.order_no, purchase.home))
    cards = [vault.open(owner, card_id, key_id, bytes(secret)) for owner, card_id, key_id, secret in found]
    if cards:
        fact = {"cards": len(cards), "sale": number.text(sale.order_no)}
        events.append(session, purchase.order_no, "card.passed_on", MACHINE, fact)
    cost = costs.spent(session, sale)
    results.delivered(session, sale.order_no, cards=cards, actor=MACHINE, reason=DELIVERED, cause=cause, cost=cost)
    _keep(session, sale, purchase)


def _keep(session: Session, sale: Locked, purchase: Locked) -> None:
    """The sale's delivery row costs what its purchase kept."""
    kept = purchase.paid - purchase.refunded
    session.run(_KEPT, (kept, sale.order_no, sale.home, number.text(purchase.order_no)))


def _give_back(session: Session, purchase: Locked) -> None:
    """A failed purchase's money goes back into the agent's wallet."""
    if purchase.status is not OrderStatus.FAILED:
        return
    from chadan.payments import refunds

    left = refunds.refundable(session, purchase)
    if left > 0:
        refunds.request(session, purchase.order_no, left, GIVEN_BACK, MACHINE)


def _purchases(session: Session, sale: Locked) -> list[tuple[int, int, str]]:
    return [(row[0], row[1], row[2]) for row in session.rows(_PURCHASES, (sale.order_no, sale.home))]
