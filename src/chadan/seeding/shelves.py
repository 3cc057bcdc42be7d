"""How the demo's shops present what they sell: descriptions, what buyers fill in, quantities, what is on sale, level prices."""

from __future__ import annotations

from typing import Any

from chadan.catalog.models import BuyerLevel, LevelPrice, Product
from chadan.orders.states import Category, DeliveryKind
from chadan.seeding.catalogue import Item
from chadan.seeding.world import Shop, World

ON_SALE = 36
"""Products a shop shows; the rest of its range is what it used to sell."""
LEVELS = {1: 985, 2: 970}
"""Level prices in 1/1,000 of the price, in the first shops."""
LEVELLED_SHOPS = 4
_CARRIERS = {"移动": "mobile", "联通": "unicom", "电信": "telecom", "广电": "broadnet"}
_ACCOUNTS = {
    "phone": ("phone", "会员账号手机号", "填写登录会员的手机号"),
    "qq": ("qq", "充值QQ号", "请核对QQ号，充错无法退回"),
    "uid": ("game_id", "游戏UID", "在游戏的个人信息页可以看到"),
    "email": ("email", "账号邮箱", "用来登录该服务的邮箱"),
}
_DELIVERY = {
    DeliveryKind.CARD: "付款后自动发卡，卡密在订单页查看。请在购买后尽快使用，卡密类商品一经查看不支持退换。",
    DeliveryKind.TOPUP: "付款后自动充值，通常几分钟内到账；高峰期可能稍慢，充值失败全额退款。",
    DeliveryKind.MANUAL: "付款后由店员处理，工作时间 9:00–23:00，一般 30 分钟内完成。",
}
_CATEGORY = {
    Category.PHONE_TOPUP: "请确认号码与运营商一致，空号、欠费停机号码可能充值失败。携号转网的号码请选择转入后的运营商。",
    Category.DATA_PLAN: "流量当月有效，月底清零，不可结转；每个号码每月限充次数以运营商为准。",
    Category.GAME_CARD: "请选择正确的区服与面额，虚拟商品充值成功后不退换。",
    Category.VIDEO_MEMBER: "为正价会员直充，不支持与官方连续包月叠加优惠。",
    Category.MUSIC_MEMBER: "充值后在对应音乐 App 的会员中心查看到期时间。",
    Category.SOFTWARE_KEY: "请核对版本后购买，激活遇到问题可联系店铺，48 小时内响应。",
    Category.GIFT_CARD: "卡密绑定后不可解绑，有效期以卡面或官方页面为准。",
    Category.OTHER: "下单前请阅读说明，有疑问先联系店铺。",
}


def on_sale(shop: Shop) -> dict[int, int]:
    """The places of what the shop shows, with their rank: what sells best comes first."""
    best = sorted(range(len(shop.sold)), key=lambda place: (-shop.sold[place].item.popularity, place))
    return {place: rank for rank, place in enumerate(best[:ON_SALE])}


def presented(item: Item) -> dict[str, Any]:
    """The columns of a product that its buyers see."""
    kind = DeliveryKind(item.delivery)
    return {
        "description": f"{item.title}\n\n{_DELIVERY[kind]}\n{_CATEGORY[item.category]}",
        "fields": _fields(item),
        "max_quantity": {DeliveryKind.CARD: 20, DeliveryKind.TOPUP: 1}.get(kind, 5),
        "low_stock": 20 if kind == DeliveryKind.CARD else None,
        "sla_minutes": {DeliveryKind.CARD: 1, DeliveryKind.TOPUP: 10}.get(kind, 60),
        "split_delivery": False,
    }


def settle_levels(world: World) -> None:
    """Level prices in the first shops, and a buyer in each that has one."""
    shops = [shop.id for shop in world.shops[:LEVELLED_SHOPS]]
    products = Product.objects.filter(merchant_id__in=shops, active=True)
    LevelPrice.objects.bulk_create(
        (
            LevelPrice(
                product=product,
                home=product.home,
                level=level,
                price=max(product.price * share // 1000, product.cost + 1),
            )
            for product in products
            for level, share in LEVELS.items()
        ),
        ignore_conflicts=True,
    )
    BuyerLevel.objects.bulk_create(
        (
            BuyerLevel(merchant_id=shop.id, home=shop.home, buyer_id=world.first_buyer, level=1)
            for shop in world.shops[:1]
        ),
        ignore_conflicts=True,
    )


def _fields(item: Item) -> list[dict[str, Any]]:
    if not item.account:
        return []
    kind, label, hint = _ACCOUNTS[item.account]
    carriers = []
    if item.category in (Category.PHONE_TOPUP, Category.DATA_PLAN):
        label, hint, carriers = "充值手机号", "请核对号码，充错无法退回", [_CARRIERS[item.brand]]
    asked = [{"name": kind, "kind": kind, "label": label, "help": hint, "required": True, "carriers": carriers}]
    if item.account == "uid":
        asked.append(
            {
                "name": "text",
                "kind": "text",
                "label": "区服",
                "help": "例如：天空岛、世界树",
                "required": False,
                "carriers": [],
            }
        )
    return asked
