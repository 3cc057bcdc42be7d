"""Ground of the machine that drives everything: a shop, an agent that resells it, a shop on another Chadan that supplies it, their
people, a gateway that says what it is told, and a queue runner of its own.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tests.support.agency import Agency
from tests.support.names import unique
from tests.support.paying import BANK, wanted
from tests.support.people import acting, make_merchant, make_staff
from tests.support.stock_ground import CardShop, make_card_shop, make_product, rows
from tests.support.whole_outside import OUTSIDE, Log

from chadan.accounts.actors import Actor
from chadan.catalog.models import LevelPrice, Product, Reseller, Supplier
from chadan.delivery import connections, webhook_secrets
from chadan.orders.states import DeliveryKind
from chadan.payments import channels
from chadan.platform import sealing
from chadan.platform.scope import Scope, scoped

PRICE = 1000
CHANNELS = ("paper", "doubted", "manual", "balance")
LEVEL = 2
AGENTS_PRICE = 900
_FOUND = """
select order_no, merchant_id from orders
where merchant_id = any(%s) and agent_id is not null and not (order_no = any(%s)) order by order_no
"""
_JOBS = """
select id, task_name, args from procrastinate_jobs
where status = 'todo' and (args ->> 'order_no')::bigint = any(%s) order by id
"""


@dataclass
class Seller:
    """A shop, and the ways to pay it, by protocol."""

    cards: CardShop
    channels: dict[str, Any] = field(default_factory=dict)

    @property
    def owner(self) -> Actor:
        return self.cards.owner


@dataclass
class Whole:
    """The shops, and what the tests know of them beside the database."""

    shop: Seller
    agent: Seller
    far: Seller
    goods: dict[str, tuple[Seller, Product]]
    """What buyers order, by name."""
    resold: Agency
    supplied: Agency
    """`above` is the far shop, and the shop is its agent."""
    log: Log
    suppliers: dict[int, str]
    """Protocols, by the connection's id."""
    orders: list[int] = field(default_factory=list)
    placed: list[int] = field(default_factory=list)
    """Those that buyers placed; the others are purchases."""
    merchants: dict[int, int] = field(default_factory=dict)
    money_at_gateway: dict[str, Any] = field(default_factory=dict)
    """What really was paid, by the gateway's transaction."""
    by_hand: set[int] = field(default_factory=set)
    """Orders whose delivery staff decided."""
    looks: int = 0
    """The books are read at every fourth look, and at the end."""

    @property
    def sellers(self) -> dict[int, Seller]:
        return {one.cards.merchant.pk: one for one in (self.shop, self.agent, self.far)}

    def seller_of(self, order_no: int) -> Seller:
        return self.sellers[self.merchants[order_no]]

    def scope_of(self, order_no: int) -> Scope:
        return self.seller_of(order_no).cards.scope

    def buy(self, kind: str, quantity: int) -> int:
        """A new order, unpaid."""
        seller, product = self.goods[kind]
        order_no = seller.cards.order(quantity, product=product, paid=False)
        self.placed.append(order_no)
        self._add(order_no, seller.cards.merchant.pk)
        return order_no

    def look_around(self) -> None:
        """Learns of purchases that were placed since."""
        for order_no, merchant_id in rows(_FOUND, list(self.sellers), self.orders):
            self._add(order_no, merchant_id)

    def _add(self, order_no: int, merchant_id: int) -> None:
        self.orders.append(order_no)
        self.merchants[order_no] = merchant_id

    def attempts(self, order_no: int) -> list[Any]:
        from chadan.payments.records import attempts_of

        with scoped(self.scope_of(order_no)) as session:
            return attempts_of(session, order_no)

    def attempt(self, out_no: str) -> Any:
        """The attempt of that number of ours."""
        return next(one for one in self.attempts(int(out_no[:19])) if one.out_no == out_no)

    def channel_of(self, out_no: str) -> Any:
        """The channel a payment goes through."""
        seller = self.seller_of(int(out_no[:19]))
        channel_id = self.attempt(out_no).channel_id
        return next(one for one in seller.channels.values() if one.pk == channel_id)

    def refunds(self, order_no: int) -> list[Any]:
        from chadan.payments.refunds import refunds_of

        with scoped(self.scope_of(order_no)) as session:
            return refunds_of(session, order_no)

    def jobs(self) -> list[tuple[int, str, dict[str, Any]]]:
        """What waits in the queue about these orders, due or not."""
        found = rows(_JOBS, self.orders)
        return [(row[0], row[1], row[2] if isinstance(row[2], dict) else json.loads(row[2])) for row in found]

    def run(self, job: tuple[int, str, dict[str, Any]], *, times: int = 1) -> None:
        """What a worker does with a job: `times` 2 when the first one died before it could say that it was done."""
        from procrastinate.contrib.django import app

        number, name, args = job
        task = app.tasks[name]
        given = [SimpleNamespace(job=SimpleNamespace(attempts=0))] if task.pass_context else []
        for _time in range(times):
            task.func(*given, **args)
        rows("delete from procrastinate_jobs where id = %s returning id", number)
        self.look_around()


def open_whole() -> Whole:
    """Shops whose channels are open, an honest gateway, suppliers without faults, a log that is read from here on."""
    BANK.__init__()  # type: ignore[misc]  # the gateway forgets the run before
    OUTSIDE.calm()
    shop, far = make_card_shop(open_to_agents=True), make_card_shop(open_to_agents=True)
    agent = _agent_of(shop)
    topup = make_product(shop.merchant, DeliveryKind.TOPUP, title="话费 10 元", open_to_agents=True)
    duo, oud, peer = (
        make_product(shop.merchant, title=title, open_to_agents=True) for title in ("货源点卡", "他源点卡", "同行点卡")
    )
    supplied = _agency(far, shop, far.product)
    dujiao, acg, other = _connect(shop, "dujiao"), _connect(shop, "acg"), _peer(shop, far)
    for product, chain in (
        (duo, ((dujiao, "1"), (acg, "1"))),
        (oud, ((acg, "1"), (dujiao, "1"))),
        (peer, ((other, str(far.product.pk)), (acg, "1"))),
    ):
        for priority, (supplier, ref) in enumerate(chain):
            _source(product, supplier, ref, priority)
    selling = Seller(shop, _channels(shop))
    reselling = Seller(agent, _channels(agent))
    goods = {"card": (selling, shop.product), "topup": (selling, topup), "duo": (selling, duo), "peer": (selling, peer)}
    goods["oud"] = (selling, oud)
    for name, above in (("card", shop.product), ("topup", topup), ("duo", duo)):
        LevelPrice.objects.create(product=above, home=shop.merchant.home, level=LEVEL, price=AGENTS_PRICE)
        kind = DeliveryKind.TOPUP if name == "topup" else DeliveryKind.CARD
        ours = make_product(agent.merchant, kind, title=f"代理 {name}", upstream=above, cost=AGENTS_PRICE)
        goods[f"resold {name}"] = (reselling, ours)
    standing = Reseller.objects.create(
        merchant=shop.merchant, home=shop.merchant.home, agent=agent.merchant, level=LEVEL
    )
    whole = Whole(
        *(selling, reselling, Seller(far), goods, Agency(shop, agent, standing), supplied, Log()),
        {dujiao.pk: "dujiao", acg.pk: "acg", other.pk: "chadan"},
    )
    for seller, agency in ((selling, whole.resold), (whole.far, supplied)):
        seller.cards.import_text(*(f"FIRST-{secrets.token_hex(6)}" for _card in range(3)))
        agency.top_up(3000)
    return whole


def _agent_of(shop: CardShop) -> CardShop:
    """A shop with the same buyer."""
    merchant = make_merchant("agent", is_agent=True)
    return CardShop(merchant, acting(make_staff(merchant)), shop.buyer, make_product(merchant))


def _agency(above: CardShop, below: CardShop, product: Product) -> Agency:
    LevelPrice.objects.create(product=product, home=above.merchant.home, level=LEVEL, price=AGENTS_PRICE)
    standing = Reseller.objects.create(
        merchant=above.merchant, home=above.merchant.home, agent=below.merchant, level=LEVEL
    )
    return Agency(above, below, standing)


def _channels(shop: CardShop) -> dict[str, Any]:
    made = {}
    for protocol in CHANNELS:
        one = channels.create(shop.owner, protocol, wanted(protocol))
        made[protocol] = channels.enable(shop.owner, one.pk)
    return made


def _connect(shop: CardShop, protocol: str) -> Supplier:
    from tests.support.supplied import connect

    return connect(shop, OUTSIDE.suppliers, protocol)


def _peer(shop: CardShop, far: CardShop) -> Supplier:
    """The far shop as a supplier, over the supply API of this very installation."""
    from chadan.api.keys import create_key

    key, _made = create_key(shop.owner, "supply", ("supply",))
    supplier = Supplier.objects.create(
        merchant=shop.merchant,
        home=shop.merchant.home,
        name=unique("far"),
        protocol="chadan",
        base_url=OUTSIDE.url,
        settings={"merchant": far.merchant.slug},
        active=True,
    )
    secrets = {"api_key": key, "webhook_secret": webhook_secrets.renew(shop.owner)}
    supplier.secrets = sealing.seal(connections.place_of(supplier.pk), secrets)
    supplier.save()
    return supplier


def _source(product: Product, supplier: Supplier, ref: str, priority: int) -> None:
    from tests.support.supplied import source

    source(product, supplier, ref=ref, priority=priority)


def buyer_of(whole: Whole) -> tuple[Any, Scope]:
    """The buyer's actor and scope."""
    buyer = whole.shop.cards.buyer
    return acting(buyer.user), Scope(buyer=buyer.pk)
