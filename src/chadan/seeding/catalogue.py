"""What the demo shops sell: families of products with their brands, face values and variants. Prices are fen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from chadan.orders.states import Category, DeliveryKind

CATEGORY_TITLES = {
    Category.PHONE_TOPUP: "话费充值",
    Category.DATA_PLAN: "流量充值",
    Category.GAME_CARD: "游戏点卡",
    Category.VIDEO_MEMBER: "视频会员",
    Category.MUSIC_MEMBER: "音乐会员",
    Category.SOFTWARE_KEY: "软件激活码",
    Category.GIFT_CARD: "礼品卡",
    Category.OTHER: "其他",
}
MARKET_SHARES = {
    Category.PHONE_TOPUP: 0.34,
    Category.DATA_PLAN: 0.06,
    Category.GAME_CARD: 0.22,
    Category.VIDEO_MEMBER: 0.15,
    Category.MUSIC_MEMBER: 0.05,
    Category.SOFTWARE_KEY: 0.05,
    Category.GIFT_CARD: 0.08,
    Category.OTHER: 0.05,
}


class Item(NamedTuple):
    """One thing that can be sold. `account` says what is topped up: phone, qq, uid, email or nothing (a card)."""

    category: Category
    brand: str
    title: str
    variant: str
    face_value: int | None
    price: int
    cost: int
    delivery: DeliveryKind
    account: str
    card: str
    popularity: float


_TOPUP, _CARD, _MANUAL = DeliveryKind.TOPUP, DeliveryKind.CARD, DeliveryKind.MANUAL
_FACE_POPULARITY = {10: 6, 20: 7, 30: 12, 50: 20, 100: 30, 200: 12, 300: 6, 500: 4}
_GAME_TOPUPS = (
    ("Q币", "Q币{}个 QQ直充 秒到账", (1, 5, 10, 30, 50, 100, 200), 0.965, "qq", 9),
    ("原神", "原神 创世结晶 {}元档 官方直充", (6, 30, 98, 198, 328, 648), 0.96, "uid", 5),
    ("王者荣耀", "王者荣耀点券 {}元 QQ区/微信区", (10, 30, 50, 100, 300, 500), 0.955, "qq", 7),
    ("和平精英", "和平精英点券 {}元 直充", (6, 30, 60, 100, 300), 0.955, "uid", 4),
    ("英雄联盟", "英雄联盟点券 {}元 全区直充", (10, 30, 50, 100, 200), 0.96, "qq", 3),
    ("崩坏星穹铁道", "崩坏星穹铁道 古老梦华 {}元档", (6, 30, 98, 328, 648), 0.96, "uid", 3),
    ("穿越火线", "穿越火线点券 {}元 直充", (10, 50, 100), 0.95, "qq", 2),
    ("地下城与勇士", "地下城与勇士点券 {}元 全区", (10, 50, 100, 300), 0.95, "qq", 2),
)
_GAME_CARDS = (
    ("骏网一卡通", "骏网一卡通 {}元 卡密", (10, 30, 50, 100), 0.97, "jcard", 3),
    ("网易一卡通", "网易一卡通 {}元 官方卡密", (15, 30, 50, 100), 0.96, "jcard", 2),
    ("完美一卡通", "完美一卡通 {}元 卡密", (15, 30, 50, 100), 0.96, "jcard", 1),
    ("战网", "战网点卡 {}元 自动发货", (15, 30, 75), 0.98, "blocks4", 2),
)
_DOLLAR_CARDS = (
    ("Steam", "Steam钱包充值码 {}美元 美区", (5, 10, 20, 50, 100), Category.GAME_CARD, "steam", 7),
    ("PSN", "PSN港服点卡 {}美元 PlayStation Store", (10, 20, 50), Category.GAME_CARD, "blocks4", 2),
    ("任天堂", "任天堂 eShop 充值卡 {}美元 美服", (10, 20, 35, 50), Category.GAME_CARD, "blocks4", 2),
    ("Google Play", "Google Play 礼品卡 {}美元 美区", (10, 25, 50), Category.GIFT_CARD, "blocks4", 2),
    ("苹果", "苹果 App Store 礼品卡 {}美元 美区", (10, 25, 50, 100), Category.GIFT_CARD, "apple", 4),
)
_MEMBERS = (
    (Category.VIDEO_MEMBER, "腾讯视频", "腾讯视频VIP会员", 2500, ("周卡", "月卡", "季卡", "半年卡", "年卡"), "qq", 9),
    (Category.VIDEO_MEMBER, "腾讯视频", "腾讯视频SVIP 云视听极光", 3500, ("月卡", "季卡", "年卡"), "qq", 4),
    (
        Category.VIDEO_MEMBER,
        "爱奇艺",
        "爱奇艺黄金VIP会员",
        2500,
        ("周卡", "月卡", "季卡", "半年卡", "年卡"),
        "phone",
        8,
    ),
    (Category.VIDEO_MEMBER, "优酷", "优酷VIP会员", 2500, ("周卡", "月卡", "季卡", "年卡"), "phone", 6),
    (Category.VIDEO_MEMBER, "哔哩哔哩", "B站大会员", 2500, ("月卡", "季卡", "年卡"), "phone", 7),
    (Category.VIDEO_MEMBER, "芒果TV", "芒果TV会员", 2200, ("月卡", "季卡", "年卡"), "phone", 4),
    (Category.VIDEO_MEMBER, "咪咕视频", "咪咕视频钻石会员", 3000, ("月卡", "年卡"), "phone", 1),
    (Category.MUSIC_MEMBER, "QQ音乐", "QQ音乐豪华绿钻", 1800, ("月卡", "季卡", "年卡"), "qq", 8),
    (Category.MUSIC_MEMBER, "网易云音乐", "网易云音乐黑胶VIP", 1800, ("月卡", "季卡", "年卡"), "phone", 7),
    (Category.MUSIC_MEMBER, "酷狗音乐", "酷狗豪华VIP", 1500, ("月卡", "季卡", "年卡"), "phone", 4),
    (Category.MUSIC_MEMBER, "Apple Music", "Apple Music 个人会员", 1100, ("月卡", "年卡"), "email", 2),
    (Category.OTHER, "百度网盘", "百度网盘超级会员SVIP", 3000, ("月卡", "季卡", "年卡"), "phone", 6),
    (Category.OTHER, "夸克", "夸克网盘SVIP会员", 2500, ("月卡", "年卡"), "phone", 3),
    (Category.OTHER, "迅雷", "迅雷超级会员", 3000, ("月卡", "年卡"), "phone", 2),
    (Category.OTHER, "知乎", "知乎盐选会员", 2500, ("月卡", "年卡"), "phone", 2),
    (Category.OTHER, "ChatGPT", "ChatGPT Plus 代充", 14500, ("月卡",), "email", 3),
)
_DURATIONS = {"周卡": 0.42, "月卡": 1.0, "季卡": 2.72, "半年卡": 5.1, "年卡": 9.4}
_SOFTWARE = (
    ("Windows", "Windows 11 专业版 永久激活码", "", 3800, 900, "windows", 8),
    ("Windows", "Windows 10 专业版 联网激活密钥", "", 2600, 700, "windows", 6),
    ("Office", "Office 2021 专业增强版 绑定账号密钥", "", 5800, 1900, "windows", 7),
    ("Office", "Microsoft 365 家庭版 激活码", "年卡", 19800, 15500, "windows", 4),
    ("WPS", "WPS超级会员 兑换码", "年卡", 9900, 7600, "blocks4", 4),
    ("卡巴斯基", "卡巴斯基安全软件 激活码", "年卡", 4900, 3100, "blocks4", 2),
    ("JetBrains", "JetBrains 全家桶 激活码", "年卡", 12800, 9200, "blocks4", 2),
    ("Adobe", "Adobe 全家桶 正版订阅 兑换码", "月卡", 11800, 9900, "blocks4", 1),
)
_GIFT_CARDS = (
    ("京东E卡", "京东E卡 {}元 电子卡密", (50, 100, 200, 300, 500, 1000), 0.975, "jd", 9),
    ("天猫超市卡", "天猫超市卡 {}元 享淘卡", (50, 100, 200, 500), 0.96, "jcard", 5),
    ("沃尔玛", "沃尔玛电子礼品卡 {}元", (100, 200, 500), 0.95, "jcard", 2),
    ("星巴克", "星巴克星礼卡 {}元", (50, 100, 200), 0.92, "blocks4", 4),
    ("中石化加油卡", "中石化加油卡 {}元 充值卡密", (100, 200, 500, 1000), 0.98, "jcard", 5),
    ("盒马", "盒马礼品卡 {}元", (100, 200, 500), 0.94, "jcard", 2),
    ("携程任我行", "携程任我行礼品卡 {}元", (100, 500, 1000), 0.95, "jcard", 1),
)


def items() -> list[Item]:
    """Everything on the market, in a fixed order: some 300 items."""
    return [*_phones(), *_data(), *_games(), *_members(), *_software(), *_gifts()]


def _phones() -> Iterator[Item]:
    for brand, share in (("移动", 1.0), ("联通", 0.5), ("电信", 0.55), ("广电", 0.08)):
        for face, weight in _FACE_POPULARITY.items():
            for variant, price, cost, popular in (("快充", 0.995, 0.978, 1.0), ("慢充", 0.945, 0.925, 0.5)):
                if variant == "慢充" and (face < 30 or brand == "广电"):
                    continue
                speed = "秒到账" if variant == "快充" else "72小时内到账"
                title = f"中国{brand}话费充值{face}元 {variant} {speed}"
                yield Item(
                    *(Category.PHONE_TOPUP, brand, title, variant, face * 100, int(face * 100 * price)),
                    *(int(face * 100 * cost), _TOPUP, "phone", "", weight * share * popular),
                )


def _data() -> Iterator[Item]:
    for brand in ("移动", "联通", "电信"):
        for size, price, weight in (
            ("1G", 600, 6),
            ("5G", 1500, 8),
            ("10G", 2500, 10),
            ("30G", 4800, 5),
            ("100G", 9900, 2),
        ):
            title = f"中国{brand}流量包{size} 全国通用 当月有效"
            cost = int(price * 0.9)
            yield Item(Category.DATA_PLAN, brand, title, size, None, price, cost, _TOPUP, "phone", "", weight)


def _games() -> Iterator[Item]:
    for brand, title, faces, rate, account, weight in _GAME_TOPUPS:
        for place, face in enumerate(faces):
            price, cost = int(face * 100 * rate), int(face * 100 * (rate - 0.025))
            popular = weight / (1 + abs(place - 2))
            yield Item(
                *(Category.GAME_CARD, brand, title.format(face), "", face * 100, price, cost),
                *(_TOPUP, account, "", popular),
            )
    for family in _GAME_CARDS:
        yield from _cards(Category.GAME_CARD, family)
    for brand, title, dollars, category, card, weight in _DOLLAR_CARDS:
        for place, dollar in enumerate(dollars):
            price, cost = int(dollar * 745), int(dollar * 716)
            variant, popular = f"{dollar}美元", weight / (1 + abs(place - 1))
            yield Item(category, brand, title.format(dollar), variant, None, price, cost, _CARD, "", card, popular)


def _members() -> Iterator[Item]:
    for category, brand, title, month, durations, account, weight in _MEMBERS:
        for duration in durations:
            price = int(month * _DURATIONS[duration] * 0.88)
            popular = weight / (1.0 if duration == "月卡" else 2.2)
            delivery = _MANUAL if brand == "ChatGPT" else _TOPUP
            yield Item(
                *(category, brand, f"{title} {duration}", duration, None, price, int(price * 0.91)),
                *(delivery, account, "", popular),
            )


def _software() -> Iterator[Item]:
    for brand, title, variant, price, cost, card, weight in _SOFTWARE:
        full = f"{title} {variant}".strip()
        yield Item(Category.SOFTWARE_KEY, brand, full, variant, None, price, cost, _CARD, "", card, weight)


def _gifts() -> Iterator[Item]:
    for family in _GIFT_CARDS:
        yield from _cards(Category.GIFT_CARD, family)


def _cards(category: Category, family: tuple[str, str, tuple[int, ...], float, str, float]) -> Iterator[Item]:
    brand, title, faces, rate, card, weight = family
    for place, face in enumerate(faces):
        price, cost = int(face * 100 * rate), int(face * 100 * (rate - 0.02))
        popular = weight / (1 + abs(place - 1))
        yield Item(category, brand, title.format(face), "", face * 100, price, cost, _CARD, "", card, popular)
