"""The demo's shops: who they are, what they sell, how they are paid and supplied. Plain values, handed to worker processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from chadan.orders.states import Category, PaymentMethod
from chadan.orders.vault import DataKey
from chadan.seeding.catalogue import MARKET_SHARES, Item, items
from chadan.seeding.names import COMPANIES, SHOPS, SUPPLIERS

AGENTS = {2: 0, 6: 0, 9: 1, 13: 0, 17: 1, 21: 3, 26: 0, 31: 4, 38: 1, 44: 3}
"""Which shops (by place) are agents, and of whom."""
ZIPF = 0.85
TAGS = ("高复购客户", "异常订单", "代理采购", "测试", "加急", "VIP客户", "待回访")
PLATFORMS = (("自营商城", 0.62), ("淘宝", 0.1), ("拼多多", 0.07), ("闲鱼", 0.06), ("小程序", 0.11), ("API", 0.04))
MARKETPLACES = ("淘宝", "拼多多", "闲鱼")
CHANNELS = (
    # name, method, kind of gateway number, share, fee in 1/10,000
    ("支付宝当面付", PaymentMethod.ALIPAY, "alipay", 30, 60),
    ("微信支付", PaymentMethod.WECHAT, "wechat", 28, 60),
    ("易支付-支付宝", PaymentMethod.ALIPAY, "epay", 12, 150),
    ("易支付-微信", PaymentMethod.WECHAT, "epay", 13, 150),
    ("余额", PaymentMethod.BALANCE, "balance", 8, 0),
    ("QQ钱包", PaymentMethod.QQPAY, "qqpay", 4, 60),
    ("云闪付", PaymentMethod.UNIONPAY, "unionpay", 3, 50),
    ("USDT-TRC20", PaymentMethod.USDT, "usdt", 1, 100),
    ("对公转账", PaymentMethod.BANK, "bank", 1, 0),
)
_STEPS = 1024


class Sold(NamedTuple):
    """A product as a shop sells it; `upstream` is its place in the upstream shop's list."""

    item: Item
    price: int
    cost: int
    upstream: int | None


class Channel(NamedTuple):
    """A way to pay."""

    id: int
    method: int
    kind: str
    fee: int


@dataclass(slots=True)
class Shop:
    """One merchant. Ids are 0 until the shop is stored (`seeding.settle`)."""

    place: int
    name: str
    slug: str
    payee: str
    upstream: int | None
    sold: list[Sold]
    lot: list[int]
    channels: list[str]
    suppliers: list[str]
    platforms: list[tuple[str, float]]
    id: int = 0
    home: int = 0
    versions: list[int] = field(default_factory=list)
    channel_lot: list[Channel] = field(default_factory=list)
    balance: Channel | None = None
    supplier_ids: list[int] = field(default_factory=list)
    tag_ids: dict[str, int] = field(default_factory=dict)
    platform_lot: list[tuple[str, int | None]] = field(default_factory=list)
    buyer_id: int = 0


@dataclass(slots=True)
class World:
    """Everything orders are drawn from."""

    seed: int
    shops: list[Shop]
    shop_lot: list[int]
    first_buyer: int = 0
    buyers: int = 0
    keys: list[DataKey] = field(default_factory=list)


def lot(weights: list[float], steps: int = _STEPS) -> list[int]:
    """A list in which each place appears as often as its weight says: a draw is one random index."""
    whole, carried = sum(weights), 0.0
    drawn: list[int] = []
    for place, weight in enumerate(weights):
        carried += steps * weight / whole
        drawn += [place] * (round(carried) - len(drawn))
    return drawn


def imagine(seed: int) -> World:
    """The world of a seed number: the same for any number of orders."""
    random, market = Random(seed), items()  # noqa: S311 - made-up shops
    shops: list[Shop] = []
    for place, (name, slug) in enumerate(SHOPS):
        upstream = AGENTS.get(place)
        sold = _resold(random, shops[upstream]) if upstream is not None else _stocked(random, market)
        channels = [name for name, *_rest in CHANNELS if place < 3 or name in _ALWAYS or random.random() < 0.6]
        shops.append(
            Shop(
                place=place,
                name=name,
                slug=slug,
                payee=name + COMPANIES[random.randrange(len(COMPANIES))],
                upstream=upstream,
                sold=sold,
                lot=lot([product.item.popularity for product in sold]),
                channels=channels,
                suppliers=random.sample(SUPPLIERS, 3),
                platforms=[(name, share) for name, share in PLATFORMS if place < 3 or random.random() < 0.75],
            )
        )
    for shop in shops:
        shop.platforms = shop.platforms or [PLATFORMS[0]]
    return World(seed, shops, lot([1 / (place + 1) ** ZIPF for place in range(len(shops))], 8192))


_ALWAYS = {"支付宝当面付", "微信支付", "余额"}


def _stocked(random: Random, market: list[Item]) -> list[Sold]:
    """A shop's own range: two or three categories it lives from, some of everything else."""
    focus = dict.fromkeys(Category, 0.25)
    for category in random.sample(list(Category), 3):
        focus[category] = random.uniform(1.5, 4)
    total: dict[Category, float] = dict.fromkeys(Category, 0.0)
    for item in market:
        total[item.category] += item.popularity
    chosen = sorted(random.sample(range(len(market)), random.randint(40, 90)))
    sold = []
    for place in chosen:
        item = market[place]
        share = MARKET_SHARES[item.category] * focus[item.category] * item.popularity / total[item.category]
        price = max(int(item.price * random.uniform(0.99, 1.03)), item.cost + 1)
        sold.append(Sold(item._replace(popularity=share), price, item.cost, None))
    return sold


def _resold(random: Random, upstream: Shop) -> list[Sold]:
    """An agent's range: the upstream's products at a markup, and a few of its own."""
    sold = []
    for place in sorted(random.sample(range(len(upstream.sold)), min(24, len(upstream.sold)))):
        theirs = upstream.sold[place]
        wholesale = max(int(theirs.price * 0.985), theirs.cost)
        price = max(int(theirs.price * random.uniform(1.01, 1.05)), wholesale + 1)
        own = random.random() < 0.2
        sold.append(Sold(theirs.item, price, theirs.cost if own else wholesale, None if own else place))
    return sold
