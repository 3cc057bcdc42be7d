"""Sample data of the component gallery: nothing here comes from the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from chadan.orders.number import make
from chadan.orders.states import OrderStatus, PaymentMethod
from chadan.web.nav import navigation

KINDS = ("merchant", "agent", "buyer", "operator", "guest")
_PLACES = {
    "merchant": "/m/orders?view=sales",
    "agent": "/m/orders?view=purchases",
    "buyer": "/orders",
    "operator": "/ops/orders",
}
_PRODUCTS = (
    ("爱奇艺黄金会员 月卡", 1980, "180****1186"),
    ("中国移动话费 100元", 9985, "138****6955"),
    ("Steam 充值卡 50元", 4890, "ste****77"),
    ("腾讯视频VIP 季卡", 5800, "150****1408"),
    ("Microsoft Office 2024 专业增强版激活码", 12900, "li****@qq.com"),
    ("Q币 100个", 9750, "28****31"),
    ("中国联通流量包 10GB 7天", 1590, "186****0976"),
    ("网易云音乐黑胶VIP 年卡", 13800, "177****9593"),
    ("王者荣耀点券 6480", 62800, "wx****19"),
)


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """One row of the sample list."""

    no: int
    product: str
    buyer: str
    fen: int
    status: OrderStatus
    method: PaymentMethod
    placed_at: datetime
    tags: tuple[Any, ...] = ()


class SampleForm(forms.Form):
    """One field of each sort."""

    username = forms.CharField(label="用户名", help_text="3 到 32 个字符", max_length=32)
    password = forms.CharField(label="密码", widget=forms.PasswordInput)
    email = forms.EmailField(label="邮箱")
    note = forms.CharField(label="备注", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    method = forms.ChoiceField(label="支付方式", choices=[("alipay", "支付宝"), ("wechat", "微信支付")])
    remember = forms.BooleanField(label="在这台电脑上保持登录", required=False)


def frame(kind: str) -> dict[str, Any]:
    """What the layout shows for a sample actor of `kind`: sample_actor, sample_capacities, sample_nav."""
    shop = {"merchant": "星河数码专营店", "agent": "小鱼代理"}.get(kind, "")
    actor = (
        None
        if kind == "guest"
        else SimpleNamespace(kind=kind, name="林晓", role="owner", label=shop, is_agent=kind == "agent")
    )
    held = (
        ("merchant", "星河数码专营店"),
        ("agent", "小鱼代理"),
        ("buyer", _("Buyer")),
        ("operator", _("Platform operator")),
    )
    return {
        "sample_kind": kind,
        "sample_actor": actor,
        "sample_capacities": [(key, label, key == kind) for key, label in held] if actor else [],
        "sample_nav": navigation(kind, _PLACES.get(kind, ""), answered_only=False),
    }


def orders(now: datetime) -> list[SampleOrder]:
    """Eighteen orders, one of every status, from a minute to fourteen months old."""
    statuses = list(OrderStatus)
    methods = list(PaymentMethod)
    ages = (1, 4, 9, 23, 47, 95, 180, 410, 900, 1500, 2900, 4600, 9000, 20_000, 43_000, 90_000, 300_000, 610_000)
    tags = (SimpleNamespace(name="VIP", colour="indigo"), SimpleNamespace(name="需回访", colour="orange"))
    made = []
    for index, age in enumerate(ages):
        product, fen, buyer = _PRODUCTS[index % len(_PRODUCTS)]
        at = now - timedelta(minutes=age)
        made.append(
            SampleOrder(
                no=make(at, 7, (index * 1237 + 42) % 10_000),
                product=product,
                buyer=buyer,
                fen=fen,
                status=statuses[(index * 4 + 3) % len(statuses)],
                method=methods[index % len(methods)],
                placed_at=at,
                tags=tags[: index % 4] if index % 4 < 3 else (),
            )
        )
    return made


def events(now: datetime) -> list[SimpleNamespace]:
    """A top-up that failed once and then arrived, newest first."""
    return [
        SimpleNamespace(
            what="已完成", at=now - timedelta(minutes=3), actor="系统", role="自动确认", tone="green", note=""
        ),
        SimpleNamespace(
            what="查看卡密", at=now - timedelta(minutes=12), actor="林晓", role="店主", tone="grey", note="第 1 张"
        ),
        SimpleNamespace(
            what="已发货", at=now - timedelta(minutes=40), actor="话费直充A", role="供货商", tone="green", note=""
        ),
        SimpleNamespace(
            what="充值失败,重新提交",
            at=now - timedelta(minutes=52),
            actor="话费直充B",
            role="供货商",
            tone="red",
            note="号码暂不支持充值",
        ),
        SimpleNamespace(what="已付款", at=now - timedelta(hours=1), actor="买家", role="支付宝", tone="blue", note=""),
        SimpleNamespace(what="下单", at=now - timedelta(hours=30), actor="买家", role="网页", tone="grey", note=""),
    ]


def forms_shown() -> dict[str, SampleForm]:
    """The sample form fresh, and with errors."""
    wrong = SampleForm({"username": "林", "email": "lin@", "method": "alipay"})
    wrong.add_error(None, "用户名或密码不正确。")
    wrong.add_error("username", "用户名至少 3 个字符。")
    return {"fresh": SampleForm(auto_id="fresh-%s"), "wrong": wrong}
