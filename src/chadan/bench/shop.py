"""A made-up acg-faka shop as files, for measuring its import."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from chadan.bench.sites import UNTIL
from chadan.orders.number import SHANGHAI

FIRST = datetime(UNTIL.year - 4, 2, 1, 8, tzinfo=SHANGHAI)
_DAYS = 300
_COLUMNS = [
    "id",
    "owner",
    "user_id",
    "trade_no",
    "amount",
    "commodity_id",
    "card_id",
    "card_num",
    "pay_id",
    "create_time",
    "create_ip",
    "create_device",
    "pay_time",
    "status",
    "secret",
    "password",
    "contact",
    "delivery_status",
    "pay_url",
    "coupon_id",
    "cost",
    "from",
    "premium",
    "widget",
    "leave_message",
    "rent",
    "race",
    "rebate",
    "pay_cost",
    "sku",
    "divide_amount",
    "substation_user_id",
    "request_no",
]
_SHOPS, _PRODUCTS, _USERS = 12, 40, 500


def write_shop(folder: Path, orders: int) -> None:
    """Writes the five tables; nine of ten orders are delivered, one is unpaid."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "order.csv", _COLUMNS, (_order(place, orders) for place in range(orders)))
    _write(
        folder / "commodity.csv",
        ("id", "name", "price", "delivery_way"),
        ([one, f"腾讯视频会员 {one} 天", "9.90", one % 2] for one in range(1, _PRODUCTS + 1)),
    )
    _write(folder / "user.csv", ("id", "username"), ([9000 + one, f"benchuser{one}"] for one in range(_USERS)))
    _write(folder / "business.csv", ("user_id", "shop_name"), ([1000 + one, f"测速商店{one}"] for one in range(_SHOPS)))
    _write(folder / "pay.csv", ("id", "name", "code"), ([1, "余额", "#system"], [2, "支付宝", "alipay"]))


def _write(path: Path, head: tuple[str, ...] | list[str], rows: Iterable[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


def _order(place: int, orders: int) -> list[object]:
    placed = FIRST + timedelta(seconds=place * (_DAYS * 86_400 // orders))
    paid = place % 10 != 9
    values: dict[str, object] = {
        "id": place + 1,
        "owner": 9000 + place % _USERS if place % 3 else 0,
        "user_id": 1000 + place % _SHOPS,
        "trade_no": f"{placed:%y%m%d%H%M%S}{place:06d}",
        "amount": f"{5 + place % 300}.{place % 100:02d}",
        "commodity_id": 1 + place % _PRODUCTS,
        "card_num": 1 + (place % 20 == 0),
        "pay_id": 1 + place % 2,
        "create_time": f"{placed:%Y-%m-%d %H:%M:%S}",
        "create_ip": "203.0.113.7",
        "pay_time": f"{placed + timedelta(seconds=40):%Y-%m-%d %H:%M:%S}" if paid else "",
        "status": int(paid),
        "secret": f"CARD-{place:010d}-AB" if paid else "",
        "contact": f"benchbuyer{place % 4000}@example.com",
        "delivery_status": int(paid),
        "cost": "0.30",
        "rent": "0.50",
        "pay_cost": "0.00",
    }
    return [values.get(column, "") for column in _COLUMNS]
