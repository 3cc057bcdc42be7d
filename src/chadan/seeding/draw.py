"""Orders drawn at random, a day at a time: the same seed number gives the same orders, in any process and any order of days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from chadan.orders.number import check_digit
from chadan.orders.records import DeliveryFact, NoteFact, OrderRecord, PaymentFact, RefFact
from chadan.orders.states import Category, DeliveryKind, DeliveryStatus, Escrow, PaymentStatus, RefKind
from chadan.seeding import lives
from chadan.seeding.accounts import account_of
from chadan.seeding.cards import Cards
from chadan.seeding.festivals import HOURS
from chadan.seeding.gateways import Stamp, payment_number, source_number, supplier_number
from chadan.seeding.lives import Fate, Life, live
from chadan.seeding.names import FIXED, STAFF, Person, person
from chadan.seeding.plan import Plan
from chadan.seeding.world import Channel, Shop, Sold, World, lot

_LOCAL = 8 * 3600
_EPOCH = date(1970, 1, 1)
_HOUR_LOT = lot([float(hour) for hour in HOURS], 4096)
# An enum's attribute costs a microsecond, and a bulk seed asks for millions.
_RETURNED, _RELEASED, _HELD = Escrow.RETURNED.code, Escrow.RELEASED.code, Escrow.HELD.code
_DELIVERY = {kind: kind.code for kind in DeliveryKind}
_CATEGORY = {category: category.code for category in Category}
_TOPUP, _CARD = DeliveryKind.TOPUP.code, DeliveryKind.CARD.code
_TXN, _OUT, _SUPPLIER, _SOURCE = (
    RefKind.PAYMENT.code,
    RefKind.PAYMENT_OUT.code,
    RefKind.SUPPLIER.code,
    RefKind.SOURCE.code,
)
_SUCCESS, _UNPAID, _NOT_PAID, _GIVEN_BACK = (
    PaymentStatus.SUCCESS.code,
    PaymentStatus.PENDING.code,
    PaymentStatus.FAILED.code,
    PaymentStatus.REFUNDED.code,
)
_SENT, _SENDING, _WAITING, _BROKEN = (
    DeliveryStatus.DELIVERED.code,
    DeliveryStatus.SENDING.code,
    DeliveryStatus.WAITING.code,
    DeliveryStatus.FAILED.code,
)
_NOTES = (
    "客户催单，已联系供货商",
    "买家要求改充另一个号码",
    "已电话核实本人充值",
    "大额订单，人工复核通过",
    "买家反馈未到账，已补发",
    "老客户，优先处理",
)
_ASKS = ("麻烦快一点，谢谢", "充好了说一声", "请充移动号", "不要充错号码哦")
_RECENT = (lives.PENDING, lives.PENDING, lives.PROCESSING, lives.PROCESSING, lives.PROCESSING, lives.PAID, lives.PAID)


class Deal(NamedTuple):
    """What is bought where and when, for which account."""

    shop: Shop
    sold_at: int
    moment: int
    quantity: int
    account: str


class Day:
    """One day's orders."""

    def __init__(self, world: World, plan: Plan, number: int) -> None:
        self.world, self.plan = world, plan
        self.random = Random(f"{plan.seed}/{number}")  # noqa: S311 - made-up orders
        self.date = plan.first + timedelta(days=number)
        self.start = (self.date - _EPOCH).days * 86_400 - _LOCAL
        self.end = min(self.start + 86_399, plan.until)
        self.text = f"{self.date:%Y%m%d}"
        self.base = int(f"{self.date:%y%m%d}") * 10**12
        self.used: set[int] = set()
        self.cards = Cards(world, plan)

    def orders(self, quota: int) -> list[OrderRecord]:
        """`quota` orders by number, an agent's purchase counted as one."""
        drawn: list[OrderRecord] = []
        wants = self._recent(quota)
        for place in range(quota):
            wanted = wants[place] if place < len(wants) else None
            drawn += self._sale(self._moment(recent=wanted is not None), wanted, alone=len(drawn) == quota - 1)
            if len(drawn) == quota:
                break
        drawn.sort()
        return drawn

    def _moment(self, *, recent: bool) -> int:
        draw, span = self.random.random, self.end - self.start
        if recent:
            return self.end - int(min(1400, span) * draw())
        while True:
            second = _HOUR_LOT[int(4096 * draw())] * 3600 + int(3600 * draw())
            if second <= span:
                return self.start + second
            if span < 3600:
                return self.start + int(span * draw())

    def _recent(self, quota: int) -> tuple[int, ...]:
        """What the newest orders of today wait for."""
        return _RECENT if self.end == self.plan.until and quota >= 2 * len(_RECENT) else ()

    def _sale(self, moment: int, wanted: int | None, *, alone: bool) -> Iterator[OrderRecord]:
        world, draw = self.world, self.random.random
        shop = world.shops[world.shop_lot[int(8192 * draw())]]
        sold_at = shop.lot[int(len(shop.lot) * draw())]
        sold = shop.sold[sold_at]
        if alone and sold.upstream is not None:
            shop = world.shops[0]
            sold_at = shop.lot[int(len(shop.lot) * draw())]
            sold = shop.sold[sold_at]
        index = self._buyer()
        buyer = person(index, self.plan.seed)
        slow = sold.item.variant == "慢充"
        bought = sold.upstream is not None
        # A purchase upstream is numbered in the second its sale was paid; both stay in one day.
        fate = Fate(_DELIVERY[sold.item.delivery], slow, wanted, self.end if bought else None)
        life = live(self.random, moment, self.plan.until, fate)
        quantity = self._quantity(sold)
        account = account_of(self.random, sold.item.account, buyer)
        sale = self._record(Deal(shop, sold_at, moment, quantity, account), life)
        sale = self._belonging(sale, world.first_buyer + index, buyer, index)
        yield sale
        if bought and life.paid_at is not None:
            yield self._purchase(shop, sold, sale, life)

    def _buyer(self) -> int:
        """Few buy often, most once or twice; the demo's people have hundreds of orders."""
        draw = self.random.random()
        if draw < self.plan.fixed_share:
            return int(draw / self.plan.fixed_share * len(FIXED))
        return int(self.world.buyers * self.random.random() ** 1.7)

    def _quantity(self, sold: Sold) -> int:
        draw = self.random.random()
        if _DELIVERY[sold.item.delivery] != _CARD or draw < 0.86:
            return 1
        return 2 + int(4 * self.random.random() ** 2) if draw < 0.99 else 10

    def _number(self, moment: int, home: int) -> int:
        place = self.base + (moment - self.start) * 10**7 + home * 10**4
        body = place + int(10_000 * self.random.random())
        while body in self.used:
            body = place + (body + 1) % 10_000
        self.used.add(body)
        return body

    def _record(self, deal: Deal, life: Life) -> OrderRecord:
        shop, sold_at, moment, quantity, account = deal
        sold, random = shop.sold[sold_at], self.random
        body = self._number(moment, shop.home)
        order_no = body * 10 + check_digit(body)
        second = moment - self.start
        clock = f"{second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}"
        stamp = Stamp(self.text, clock, second * 10_000 + body % 10_000, shop.id, moment)
        platform, source = shop.platform_lot[int(len(shop.platform_lot) * random.random())]
        channel = shop.channel_lot[int(len(shop.channel_lot) * random.random())]
        amount, paid = sold.price * quantity, life.paid_at is not None
        payments, refs = self._payments(order_no, life, amount, channel, stamp)
        deliveries, supplier = self._deliveries(shop, sold, life, stamp, refs)
        number = None
        if source is not None:
            number = source_number(platform, stamp)
            refs.append(RefFact(_SOURCE, source, number))
        version = shop.versions[sold_at]
        back = 0 if not life.refunded else amount if life.refunded == 1.0 else int(amount * life.refunded)
        escrow, escrow_until = (
            _escrow(life) if platform == "自营商城" and _DELIVERY[sold.item.delivery] != _CARD else (0, None)
        )
        return OrderRecord(
            *(order_no, shop.home, moment, shop.id, 0, "", "", version, _CATEGORY[sold.item.category]),
            *(sold.item.face_value, quantity, life.status, amount, amount if paid else 0, back),
            *(sold.cost * quantity if paid else 0, amount * channel.fee // 10_000 if paid else 0),
            channel.method if payments else None,
            platform,
            account,
            life.updated_at,
            status_before=life.before,
            has_after_sale=life.after_sale,
            supplier_id=supplier,
            escrow=escrow,
            escrow_until=escrow_until,
            source_order_no=number,
            tags=self._tags(shop, life),
            paid_at=life.paid_at,
            delivered_at=life.delivered_at,
            completed_at=life.completed_at,
            refunded_at=life.refunded_at,
            cancelled_at=life.cancelled_at,
            payments=payments,
            deliveries=deliveries,
            cards=self.cards.drawn(random, shop.id, sold, quantity) if life.delivered_at and sold.item.card else (),
            notes=self._notes(moment, life) if random.random() < self.plan.note_share else (),
            refs=tuple(refs),
            salts=random.randbytes(64),
        )

    def _payments(
        self, order_no: int, life: Life, amount: int, channel: Channel, stamp: Stamp
    ) -> tuple[tuple[PaymentFact, ...], list[RefFact]]:
        draw, moment = self.random.random(), stamp.moment
        if life.paid_at is None:
            if draw < 0.45:
                return (), []
            out = f"{order_no:019d}1"
            state = _UNPAID if life.status == lives.PENDING else _NOT_PAID
            fact = PaymentFact(channel.id, channel.method, state, amount, out, "", moment, None)
            return (fact,), [RefFact(_OUT, channel.id, out)] if self.plan.out_refs else []
        first, facts = 1, []
        if draw < 0.03:
            facts.append(
                PaymentFact(channel.id, channel.method, _NOT_PAID, amount, f"{order_no:019d}1", "", moment, None)
            )
            first = 2
        out, txn = f"{order_no:019d}{first}", payment_number(channel.kind, stamp, self.random)
        state = _GIVEN_BACK if life.refunded == 1.0 else _SUCCESS
        facts.append(PaymentFact(channel.id, channel.method, state, amount, out, txn, moment, life.paid_at))
        refs = [RefFact(_TXN, channel.id, txn)]
        if self.plan.out_refs:
            refs += [RefFact(_OUT, channel.id, fact.out_no) for fact in facts]
        return tuple(facts), refs

    def _deliveries(
        self, shop: Shop, sold: Sold, life: Life, stamp: Stamp, refs: list[RefFact]
    ) -> tuple[tuple[DeliveryFact, ...], int | None]:
        if life.paid_at is None:
            return (), None
        kind = _DELIVERY[sold.item.delivery]
        supplier, number = None, ""
        if kind != _CARD and sold.upstream is None:
            supplier = shop.supplier_ids[int(len(shop.supplier_ids) * self.random.random())]
            if kind == _TOPUP and life.status != lives.PAID:
                number = supplier_number(stamp)
                refs.append(RefFact(_SUPPLIER, supplier, number))
        if life.failed_at is not None:
            state = _BROKEN
        elif life.delivered_at is not None:
            state = _SENT
        else:
            state = _SENDING if life.status == lives.PROCESSING else _WAITING
        fact = DeliveryFact(kind, state, supplier, number, life.reason, life.paid_at, life.delivered_at)
        return (fact,), supplier

    def _tags(self, shop: Shop, life: Life) -> tuple[int, ...]:
        draw, ids = self.random.random(), shop.tag_ids
        if life.status in (lives.FAILED, lives.AFTER_SALE) and draw < 0.6:
            return (ids["异常订单"],)
        if draw > 0.965:
            return (ids["加急"],) if draw < 0.98 else (ids["VIP客户"],) if draw < 0.993 else (ids["待回访"],)
        return (ids["测试"],) if draw < 0.001 else ()

    def _notes(self, moment: int, life: Life) -> tuple[NoteFact, ...]:
        draw = self.random.random
        at = min(life.updated_at, moment + 30 + int(1800 * draw()))
        if draw() < 0.3:
            return (NoteFact(None, "买家", False, _ASKS[int(len(_ASKS) * draw())], moment),)
        return (NoteFact(None, STAFF[int(len(STAFF) * draw())], True, _NOTES[int(len(_NOTES) * draw())], at),)

    def _belonging(self, sale: OrderRecord, buyer_id: int, buyer: Person, index: int) -> OrderRecord:
        tags = sale.tags
        if index < self.plan.heavy_buyers and self.random.random() < 0.5:
            tags = (*tags, self.world.shops[self.plan.place_of[sale.merchant_id]].tag_ids["高复购客户"])
        contact = buyer.login if buyer.guest else buyer.phone
        return sale._replace(
            buyer_id=buyer_id, buyer_login=buyer.login, buyer_name=buyer.name, contact=contact, tags=tags
        )

    def _purchase(self, agent: Shop, sold: Sold, sale: OrderRecord, life: Life) -> OrderRecord:
        """What the agent buys from the shop above it, in the second its own sale was paid, from its balance there."""
        assert agent.upstream is not None and sold.upstream is not None and life.paid_at is not None  # noqa: S101, PT018
        above = self.world.shops[agent.upstream]
        moment = life.paid_at
        mirrored = Life(
            *(life.status, life.updated_at, moment, life.delivered_at, life.completed_at, life.refunded_at),
            *(None, life.before, life.after_sale, life.refunded, life.failed_at, life.reason),
        )
        bought = self._record(Deal(above, sold.upstream, moment, sale.quantity, sale.account), mirrored)
        amount = sold.cost * sale.quantity
        balance = above.balance
        assert balance is not None  # noqa: S101 - every shop takes balance
        out, number = f"{bought.order_no:019d}1", f"B{self.text}{bought.order_no % 10**13:013d}"
        state = _GIVEN_BACK if life.refunded == 1.0 else _SUCCESS
        refs = [ref for ref in bought.refs if ref.kind == _SUPPLIER]
        refs.append(RefFact(_TXN, balance.id, number))
        return bought._replace(
            buyer_id=agent.buyer_id,
            buyer_login=agent.slug,
            buyer_name=agent.name,
            contact=agent.slug,
            agent_id=agent.id,
            parent_order_no=sale.order_no,
            amount=amount,
            paid=amount,
            refunded=0 if not life.refunded else amount if life.refunded == 1.0 else int(amount * life.refunded),
            fee=0,
            payment_method=balance.method,
            platform="API",
            source_order_no=None,
            escrow=0,
            escrow_until=None,
            payments=(PaymentFact(balance.id, balance.method, state, amount, out, number, moment, moment),),
            notes=(),
            tags=(above.tag_ids["代理采购"],),
            cards=sale.cards and self.cards.copies(sale, above.id),
            refs=tuple(refs),
        )


def _escrow(life: Life) -> tuple[int, int | None]:
    """Where the money is, and until when it is held."""
    if life.paid_at is None:
        return 0, None
    until = (life.delivered_at or life.paid_at) + 7 * lives.DAY
    if life.status == lives.REFUNDED:
        return _RETURNED, None
    return (_RELEASED, None) if life.status == lives.COMPLETED else (_HELD, until)
