"""The demo's order: saved views of its people, coloured tags, and rules that tag what happens from now on."""

from __future__ import annotations

from contextlib import suppress

from django.utils import translation

from chadan.accounts.actors import Actor, Permission, actors_of
from chadan.accounts.models import User
from chadan.orders.states import Category, OrderStatus
from chadan.platform.errors import Conflict
from chadan.saved_views import services
from chadan.saved_views.services import Shown
from chadan.search.order_query import OrderQuery, Range, Sort
from chadan.seeding.names import FIXED
from chadan.seeding.people import AGENT, SHOP_A
from chadan.tagging import rules, tags
from chadan.tagging.rules import ReadyMade, Wanted

S = OrderStatus
_TROUBLE = OrderQuery(status=(S.AFTER_SALE, S.FAILED))
_LARGE = OrderQuery(amount=Range(min=20_000), sort=Sort(by="amount"))
_TO_DELIVER = OrderQuery(status=(S.PAID, S.PROCESSING))
_TOPUPS = OrderQuery(category=(Category.PHONE_TOPUP, Category.DATA_PLAN))
VIEWS: tuple[tuple[str, str, Shown, bool, bool], ...] = (
    # whose, name, what it shows, shared, pinned
    (SHOP_A, "待发货", Shown(_TO_DELIVER, "sales"), True, True),
    (SHOP_A, "售后与失败", Shown(_TROUBLE, "sales", "30d"), True, True),
    (SHOP_A, "大额订单", Shown(_LARGE, "sales", "30d", columns=("order_no", "product", "buyer", "amount", "profit", "status")), False, True),
    (SHOP_A, "VIP 客户", Shown(OrderQuery(tag=("VIP客户",)), "sales", "90d"), False, False),
    (SHOP_A, "本月代理单", Shown(OrderQuery(), "agent", "month"), True, True),
    (AGENT, "采购异常", Shown(_TROUBLE, "purchases", "30d"), False, True),
    (FIXED[0][0], "话费流量", Shown(_TOPUPS, "", "365d"), False, True),
    ("operator", "全平台售后", Shown(_TROUBLE, "", "7d"), False, True),
)  # fmt: skip
LARGE_TAG = ("大额", "teal")


def settle_organised() -> None:
    """Makes what is missing; what somebody changed since stays as it is."""
    with translation.override("zh-hans"):
        for login, name, shown, shared, pinned in VIEWS:
            actor = _actor(login, shown.side)
            if actor is None or any(view.name == name for view in services.held(actor).views):
                continue
            services.save(actor, name, shown, shared=shared, pinned=pinned)
        _rules()


def _rules() -> None:
    owner = _actor(SHOP_A, "sales")
    if owner is None or rules.rules_of(owner):
        return
    for kind in (ReadyMade.REPEAT, ReadyMade.ANOMALY, ReadyMade.AGENT):
        rules.switch_on_ready_made(owner, kind)
    name, colour = LARGE_TAG
    with suppress(Conflict):
        tags.create(owner, name, colour)
    rules.save(owner, Wanted("大额订单", name, "amount:>=200"), enabled=True)


def _actor(login: str, side: str) -> Actor | None:
    """The person in the capacity whose list has this side."""
    user = User.objects.filter(username=login).first()
    kinds = {"": ("buyer", "operator")}.get(side, ("merchant",))
    held = [] if user is None else actors_of(user)
    return next((one for one in held if one.kind in kinds and (not side or one.may(Permission.MANAGE))), None)
