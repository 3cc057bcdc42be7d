"""What kind of goods a title speaks of, when the source does not say."""

from __future__ import annotations

from chadan.orders.states import Category, PaymentMethod

_CATEGORIES = (
    (Category.DATA_PLAN, ("流量",)),
    (Category.PHONE_TOPUP, ("话费", "手机充值", "电话费")),
    (Category.MUSIC_MEMBER, ("音乐", "绿钻", "酷狗", "酷我", "spotify", "喜马拉雅")),
    (
        Category.VIDEO_MEMBER,
        ("视频", "爱奇艺", "优酷", "b站", "哔哩", "大会员", "芒果tv", "netflix", "奈飞", "disney", "youtube"),
    ),
    (
        Category.SOFTWARE_KEY,
        ("windows", "office", "激活码", "序列号", "密钥", "wps", "adobe", "jetbrains", "杀毒", "cdkey"),
    ),
    (Category.GIFT_CARD, ("e卡", "礼品卡", "购物卡", "礼品券", "app store", "google play", "超市卡", "加油卡")),
    (
        Category.GAME_CARD,
        ("游戏", "点卡", "点券", "q币", "steam", "原神", "王者", "psn", "xbox", "eshop", "一卡通", "战网", "roblox"),
    ),
)
_METHODS = (
    (PaymentMethod.ALIPAY, ("alipay", "支付宝", "zfb")),
    (PaymentMethod.WECHAT, ("wx", "wechat", "微信")),
    (PaymentMethod.QQPAY, ("qqpay", "qq")),
    (PaymentMethod.USDT, ("usdt", "trc20", "泰达")),
    (PaymentMethod.UNIONPAY, ("unionpay", "云闪付", "银联")),
    (PaymentMethod.BANK, ("bank", "网银", "银行")),
    (PaymentMethod.BALANCE, ("#system", "balance", "余额")),
)


def category_of(title: str) -> Category:
    """The category a product's title names, `OTHER` when it names none."""
    low = title.casefold()
    return next((category for category, words in _CATEGORIES if any(word in low for word in words)), Category.OTHER)


def method_of(*names: str) -> PaymentMethod | None:
    """The payment method the first telling name stands for; None when no name tells."""
    for name in names:
        low = name.casefold()
        for method, words in _METHODS:
            if any(word in low for word in words):
                return method
    return None
