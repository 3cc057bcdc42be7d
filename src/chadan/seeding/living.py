"""Orders of the demo that really live: placed, paid at the sandbox, delivered and refunded through the services themselves.

The seed's other orders are history. These few dozen are what the pages of deliveries, refunds, money and stuck orders show.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from chadan.accounts.actors import Actor, actor_of
from chadan.accounts.models import Buyer, Merchant
from chadan.catalog import fields as catalog_fields
from chadan.catalog.carriers import Carrier
from chadan.catalog.fields import Field, Kind
from chadan.catalog.models import PaymentChannel, Product
from chadan.delivery import dispatch, manual
from chadan.orders import lifecycle
from chadan.orders.events import actor_json
from chadan.orders.guest import guest_actor
from chadan.orders.states import DeliveryKind
from chadan.orders.transitions import lock
from chadan.payments import attempts, confirming, healing, records, refunding, refunds
from chadan.payments.channels import BALANCE, MANUAL
from chadan.payments.gateways.base import Show
from chadan.platform.errors import ChadanError
from chadan.platform.scope import Scope, scoped
from chadan.sandbox.client import Sandbox
from chadan.seeding import tills
from chadan.seeding.names import FIXED
from chadan.storefront import offers, stock

log = logging.getLogger(__name__)
GUESTS = ("13800001111", "15900002222", "18600003333")
_CARD, _TOPUP, _MANUAL = (kind.code for kind in (DeliveryKind.CARD, DeliveryKind.TOPUP, DeliveryKind.MANUAL))
_PREFIX = {Carrier.MOBILE: "138", Carrier.UNICOM: "186", Carrier.TELECOM: "189", Carrier.BROADNET: "192"}
_PLENTY = 15
_GATEWAYS = ("alipay", "wechat", "epay1", "epay2")


@dataclass(slots=True)
class Counter:
    """One shop while its orders are made: who buys, what there is, through which channels."""

    shop: Merchant
    owner: Actor
    sandbox: Sandbox
    site: str
    buyers: list[Buyer]
    channels: dict[str, PaymentChannel]
    products: dict[int, list[Product]]
    """By delivery kind, what sells best first; cards that are plentiful."""
    scarce: Product | None
    """The card product with the fewest cards."""
    count: int = 0

    def place(self, product: Product, buyer: Buyer | None, quantity: int = 1) -> int | None:
        """An order that waits for its payment; None when an earlier start of the demo placed it."""
        self.count += 1
        filled = catalog_fields.read(product.fields)
        wanted = offers.Wanted(
            quantity=quantity,
            fields={field.name: _typed(field, self.count) for field in filled},
            shown_price=offers.price_of(product, buyer.pk if buyer else None),
            token=f"demo:{self.shop.pk}:{self.count}",
            contact="" if buyer else GUESTS[self.count % len(GUESTS)],
            code="" if buyer else "demo2026",
            ip="127.0.0.1",
        )
        actor = actor_json(_buyer_actor(buyer) if buyer else guest_actor(0))
        placed = offers.checkout(self.shop, product, buyer, wanted, actor)
        return placed.order_no if placed.new else None

    def start(self, order_no: int, protocol: str, buyer: Buyer | None = None) -> str:
        """Begins to pay and opens the gateway's page; returns our number there, "" when the wallet paid at once."""
        scope = Scope(buyer=buyer.pk) if buyer else records.system_scope(order_no)
        back = f"{self.site}/pay/return/{order_no:019d}/1/"
        channel = self.channels[protocol]
        attempt, begun = attempts.start_attempt(
            scope, order_no, channel.pk, return_url=lambda _seq: back, client_ip="127.0.0.1"
        )
        if attempt is None:
            return ""
        if begun.show is Show.REDIRECT:
            self.sandbox.visit(begun.url)
        return attempt.out_no

    def pay(self, order_no: int, protocol: str, buyer: Buyer | None = None) -> None:
        """Pays as the buyer does. The site is not up yet to hear a callback: it asks, as it does when one was lost."""
        if protocol == MANUAL:
            confirming.confirm(self.owner, order_no, self.channels[protocol].pk)
            return
        out_no = self.start(order_no, protocol, buyer)
        if out_no:
            self.sandbox.pay(out_no, protocol)
            healing.ask(order_no, 1)

    def sell(self, kind: int, buyer: Buyer | None, protocol: str, place: int = 0) -> int | None:
        """Places, pays and delivers one piece of the `place`-th product of a kind."""
        order_no = self.place(self.products[kind][place % len(self.products[kind])], buyer)
        if order_no is not None:
            self.pay(order_no, protocol, buyer)
            dispatch.deliver(order_no)
        return order_no

    def give_back(self, order_no: int, amount: int, reason: str) -> None:
        """Refunds `amount` fen, all the way."""
        with scoped(self.owner.scope) as session:
            seq = refunds.request(session, order_no, amount, reason, actor_json(self.owner))
        refunding.run(order_no, seq)


def settle_living(sandbox: Sandbox, site: str) -> int:
    """Makes the living orders of the first two shops and the agent; returns how many. `site` is the demo's own address."""
    shops = tills.open_shops()
    made = _told(_resale, _counter(shops[2], sandbox, site))
    for shop in shops[:2]:
        counter = _counter(shop, sandbox, site)
        for story in (_sales, _waiting, _unpaid, _troubles, _by_hand):
            made += _told(story, counter)
    return made


def _told(story: Callable[[Counter], int], counter: Counter) -> int:
    """A story may find its shelf empty: an old demo was sold from since."""
    try:
        return story(counter)
    except ChadanError as error:
        log.warning("a demo story was left out", extra={"story": story.__name__, "reason": error.code})
        return 0


def _sales(counter: Counter) -> int:
    """Cards sold and delivered through every gateway and the wallet; some confirmed by their buyers."""
    made = 0
    for place, protocol in enumerate((*_GATEWAYS, BALANCE, "alipay", BALANCE)):
        buyer = counter.buyers[place % len(counter.buyers)] if protocol == BALANCE or place % 2 else None
        order_no = counter.sell(_CARD, buyer, protocol, place)
        made += order_no is not None
        if order_no is not None and buyer is not None:
            lifecycle.complete(Scope(buyer=buyer.pk), order_no, actor_json(_buyer_actor(buyer)), "receipt confirmed")
    return made


def _waiting(counter: Counter) -> int:
    """Two orders for all the cards there are: the second waits. And top-ups that wait for staff."""
    made = 0
    scarce = counter.scarce
    if scarce is None:
        return 0
    quantity = min(stock.available([scarce])[scarce.pk] or 1, scarce.max_quantity)
    both = [counter.place(scarce, None, quantity), counter.place(scarce, counter.buyers[0], quantity)]
    for order_no in both:
        if order_no is not None:
            counter.pay(order_no, "wechat")
            dispatch.deliver(order_no)
            made += 1
    for place in range(4):
        buyer = counter.buyers[1] if place % 2 else None
        made += counter.sell(_TOPUP, buyer, _GATEWAYS[place], place) is not None
    return made


def _unpaid(counter: Counter) -> int:
    """Waiting for money: fresh, at the cashier's page, at a transfer; and one withdrawn."""
    made = 0
    for place, protocol in enumerate(("", "epay1", MANUAL, "withdrawn")):
        buyer = counter.buyers[place % len(counter.buyers)]
        order_no = counter.place(counter.products[_TOPUP][place], buyer)
        if order_no is None:
            continue
        made += 1
        if protocol == "withdrawn":
            lifecycle.cancel(Scope(buyer=buyer.pk), order_no, actor_json(_buyer_actor(buyer)), "withdrawn")
        elif protocol:
            counter.start(order_no, protocol, buyer)
    return made


def _troubles(counter: Counter) -> int:
    """An after-sales case, a partial refund, a whole one, a failed top-up, and a refund that needs a person."""
    buyer, made = counter.buyers[0], 0
    case = counter.sell(_CARD, buyer, "wechat", 1)
    if case is not None:
        who = actor_json(_buyer_actor(buyer))
        lifecycle.open_after_sale(Scope(buyer=buyer.pk), case, who, "卡密提示已被使用，请核实")
        made += 1
    for protocol, share in (("alipay", 2), ("epay2", 1)):
        order_no = counter.sell(_CARD, None, protocol, 3)
        if order_no is not None:
            counter.give_back(order_no, _paid(order_no) // share, "协商退款")
            made += 1
    failed = counter.sell(_TOPUP, None, "alipay", 2)
    if failed is not None:
        manual.give_up(counter.owner, failed, "运营商维护，暂时无法充值")
        made += 1
    transfer = counter.sell(_TOPUP, None, MANUAL, 3)
    if transfer is not None:
        counter.give_back(transfer, _paid(transfer), "号码填错，买家要求退款")
        made += 1
    return made


def _resale(counter: Counter) -> int:
    """An agent's sale, bought at the merchant above from the agent's wallet; the worker delivers it."""
    resold = Product.objects.filter(merchant=counter.shop, active=True, upstream__active=True).order_by(
        "position", "pk"
    )
    left = stock.available(resold.select_related("version"))
    product = next((each for each in resold if left[each.pk] is None or (left[each.pk] or 0) >= _PLENTY), None)
    order_no = counter.place(product, counter.buyers[0]) if product else None
    if order_no is None:
        return 0
    counter.pay(order_no, "alipay", counter.buyers[0])
    dispatch.deliver(order_no)
    return 1


def _by_hand(counter: Counter) -> int:
    """A top-up that staff did."""
    order_no = counter.sell(_TOPUP, counter.buyers[1], BALANCE, 1)
    if order_no is None:
        return 0
    manual.by_hand(counter.owner, order_no, "")
    return 1


def _counter(shop: Merchant, sandbox: Sandbox, site: str) -> Counter:
    buyers = {buyer.login: buyer for buyer in Buyer.objects.filter(realm="", login__in=[login for login, _ in FIXED])}
    sold = Product.objects.filter(merchant=shop, active=True, upstream=None, version__isnull=False)
    ordered = list(sold.select_related("version").order_by("position", "pk"))
    left = stock.available(ordered)
    scarce = min((each for each in ordered if left[each.pk]), key=lambda each: left[each.pk] or 0, default=None)
    products: dict[int, list[Product]] = {_CARD: [], _TOPUP: [], _MANUAL: []}
    for product in ordered:
        pieces = left[product.pk]
        if product.version is not None and product != scarce and (pieces is None or pieces >= _PLENTY):
            products[product.version.delivery_kind].append(product)
    names = {till.name for till in tills.TILLS}
    taken = {one.protocol: one for one in attempts.channels_for(shop.pk) if one.name in names}
    two = [buyers[login] for login, _name in FIXED[:2]]
    return Counter(shop, tills.owner_of(shop), sandbox, site, two, taken, products, scarce)


def _buyer_actor(buyer: Buyer) -> Actor:
    actor = actor_of(buyer.user, "buyer") if buyer.user else None
    return actor or guest_actor(buyer.pk)


def _paid(order_no: int) -> int:
    with scoped(records.system_scope(order_no)) as session:
        return lock(session, order_no).paid


def _typed(field: Field, count: int) -> str:
    """What a buyer fills into a field."""
    if field.kind == Kind.PHONE:
        prefix = _PREFIX[field.carriers[0]] if field.carriers else "139"
        return f"{prefix}{count * 7_919 % 10**8:08d}"
    if field.kind == Kind.EMAIL:
        return f"demo{count}@example.com"
    return "" if field.kind == Kind.TEXT and not field.required else str(100_000_000 + count)
