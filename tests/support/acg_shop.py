"""Writes the tables of an acg-faka shop: states, merchants, guests and cards in a fixed mixture."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

APOLOGY = "很抱歉，有人在你付款之前抢走了商品，请联系客服。"
HEADER = (
    "id owner user_id trade_no amount commodity_id card_id card_num pay_id create_time create_ip create_device pay_time"
    " status secret password contact delivery_status pay_url coupon_id cost from premium widget leave_message rent race"
    " rebate pay_cost sku divide_amount substation_user_id request_no"
)
COLUMNS = HEADER.split()
START = datetime(2024, 6, 1, 8, 0, 0)  # noqa: DTZ001 - local, as the shop writes it
MERCHANTS = ("0", "1000", "1001", "1002")


def order(place: int) -> dict[str, str]:
    """Row number `place`: every tenth unpaid, every tenth undelivered, every tenth an apology, the rest delivered."""
    placed = START + timedelta(hours=7 * place, seconds=place % 60)
    state = place % 10
    paid = state not in (1, 2)
    secret = (
        "" if not paid else APOLOGY if state == 3 else "" if state == 4 else f"CARD-{place:08d}-A\nCARD-{place:08d}-B"
    )
    row = dict.fromkeys(COLUMNS, "")
    row.update(
        id=str(place),
        owner="0" if place % 3 else str(5000 + place % 17),
        user_id=MERCHANTS[place % 4],
        trade_no=f"{placed:%y%m%d%H%M%S}{place:06d}",
        amount=f"{place % 300}.{place % 100:02d}",
        commodity_id=str(1 + place % 9),
        card_num=str(1 + place % 3),
        pay_id=str(1 + place % 2),
        create_time=f"{placed:%Y-%m-%d %H:%M:%S}",
        create_ip="203.0.113.7",
        pay_time=f"{placed + timedelta(seconds=40):%Y-%m-%d %H:%M:%S}" if paid else "",
        status="1" if paid else "0",
        secret=secret,
        contact=f"buyer{place}@example.com",
        delivery_status="1" if paid and state != 4 else "0",
        cost="0.30",
        rent="0.50",
        pay_cost="0.00",
        widget=json.dumps({"account": {"value": str(10_000 + place), "cn": "充值账号"}}, ensure_ascii=False),
    )
    return row


def write_shop(
    folder: Path, orders: int, change: Mapping[int, Mapping[str, str]] | None = None, encoding: str = "utf-8"
) -> Path:
    """A folder with the five tables; `change` overrides fields of order rows by place (row 0 is line 2 + card lines)."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{**order(place), **(change or {}).get(place, {})} for place in range(orders)]
    for row in rows:
        if change:  # one line an order, so that tests can name lines
            row["secret"] = row["secret"].replace("\n", " ")
    tables: dict[str, list[dict[str, str]]] = {
        "order": rows,
        "commodity": [
            {"id": str(place), "name": f"腾讯视频会员 {place}", "price": "9.90", "delivery_way": "0"}
            for place in range(1, 10)
        ],
        "user": [{"id": str(5000 + place), "username": f"user{place}"} for place in range(17)],
        "business": [{"user_id": ref, "shop_name": f"商店{ref}"} for ref in MERCHANTS[1:]],
        "pay": [{"id": "1", "name": "余额", "code": "#system"}, {"id": "2", "name": "支付宝", "code": "alipay"}],
    }
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_bytes(as_csv(lines).encode(encoding))
    return folder


def as_csv(rows: list[dict[str, str]]) -> str:
    """The rows with their header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
