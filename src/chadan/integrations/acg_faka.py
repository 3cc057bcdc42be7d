"""acg-faka: a folder with its tables order, commodity, user, business and pay, as CSV or .xlsx.

Times are local (Asia/Shanghai). A merchant with id 0 is the platform itself. acg-faka marks an order it could not
deliver as delivered and writes an apology where the card should be; here that is a failed order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chadan.integrations.contract import ParsedBuyer, ParsedOrder, ParsedProduct, Rejection
from chadan.integrations.guess import category_of, method_of
from chadan.integrations.reading import Unreadable, limited, moment, money, shown, whole
from chadan.integrations.tables import Row, find_table, require_columns, rows
from chadan.orders.states import DeliveryKind, OrderStatus, PaymentMethod
from chadan.platform.errors import InvalidInput

UNPAID_FOR = 1800
"""Seconds after which an unpaid order counts as cancelled."""
MAX_CARDS = 2000
_TABLES = {
    "order": (
        *("owner", "user_id", "trade_no", "amount", "commodity_id", "card_num", "pay_id", "create_time"),
        *("pay_time", "status", "secret", "contact", "delivery_status"),
    ),
    "commodity": ("id", "name", "delivery_way"),
    "user": ("id", "username"),
    "business": ("user_id", "shop_name"),
    "pay": ("id", "name", "code"),
}
_SORRY = re.compile("抱歉|抢走了|库存不足|缺货|无货")
_CODE = re.compile(r"[0-9A-Za-z]{6,}")


@dataclass(frozen=True, slots=True)
class _Names:
    """The small tables, in memory."""

    products: dict[str, dict[str, str]]
    users: dict[str, str]
    shops: dict[str, str]
    payments: dict[str, tuple[str, PaymentMethod | None]]


class AcgFaka:
    """The importer."""

    name = "acg-faka"

    def check(self, path: Path) -> None:
        """Raises InvalidInput when the folder, a table or a column is missing."""
        if not path.is_dir():
            raise InvalidInput(f"{path} is not a folder.", hint="acg-faka's tables come in a folder.")
        missing = [name for name in _TABLES if find_table(path, name) is None]
        if missing:
            files = ", ".join(f"{name}.csv" for name in missing)
            raise InvalidInput(
                f"{path} lacks {files}.", hint="Export the tables order, commodity, user, business and pay."
            )
        for name, columns in _TABLES.items():
            require_columns(_table(path, name), columns)

    def merchants(self, path: Path) -> dict[str, str]:
        """The source's merchants: id and name; "0" is the platform."""
        return {"0": "", **_names(path).shops}

    def read(self, path: Path, now: int) -> Iterator[ParsedOrder | Rejection]:
        """Every order row."""
        names = _names(path)
        for row in rows(_table(path, "order")):
            fields = row.fields
            number, merchant = fields.get("trade_no", "")[:64], fields.get("user_id")
            if row.problem:
                # Fields of a row that was cut apart stand in wrong columns: none of them is believed.
                yield Rejection(row.line, "", row.problem)
                continue
            try:
                yield _order(row, names, now)
            except Unreadable as error:
                yield Rejection(row.line, number, str(error), merchant)


def _table(path: Path, name: str) -> Path:
    found = find_table(path, name)
    if found is None:
        raise InvalidInput(f"{path} lacks {name}.csv.")
    return found


def _names(path: Path) -> _Names:
    def keyed(name: str, key: str) -> dict[str, dict[str, str]]:
        return {row.fields.get(key, ""): row.fields for row in rows(_table(path, name)) if not row.problem}

    return _Names(
        products=keyed("commodity", "id"),
        users={key: fields["username"] for key, fields in keyed("user", "id").items()},
        shops={key: fields["shop_name"] for key, fields in keyed("business", "user_id").items()},
        payments={
            key: (fields["name"], method_of(fields["code"], fields["name"]))
            for key, fields in keyed("pay", "id").items()
        },
    )


def _order(row: Row, names: _Names, now: int) -> ParsedOrder:
    fields = row.fields
    number = limited(fields["trade_no"], "order number", 64)
    if not number:
        raise Unreadable("it has no order number")
    placed = moment(fields["create_time"], "order time", now)
    if placed is None:
        raise Unreadable("it has no order time")
    quantity = whole(fields["card_num"], "quantity")
    if quantity < 1:
        raise Unreadable("its quantity is 0")
    status, times, cards, failure = _state(fields, placed, now)
    is_paid = times["paid_at"] is not None
    amount = money(fields["amount"], "amount") if fields["amount"] else None
    if amount is None:
        raise Unreadable("it has no amount")
    merchant = fields["user_id"] or "0"
    payment, method = names.payments.get(fields["pay_id"], ("", None))
    cost = money(fields.get("rent", ""), "cost price")
    fee = money(fields.get("cost", ""), "fee") + money(fields.get("pay_cost", ""), "payment fee")
    return ParsedOrder(
        line=row.line,
        number=number,
        source_merchant="" if merchant == "0" else limited(merchant, "merchant", 64),
        merchant_name=names.shops.get(merchant) or names.users.get(merchant, ""),
        buyer=_buyer(fields, names),
        product=_product(fields, names),
        quantity=quantity,
        status=status,
        amount=amount,
        paid=amount if is_paid else 0,
        placed_at=placed,
        cost=cost if is_paid else 0,
        fee=fee if is_paid else 0,
        payment_method=method,
        payment_name=payment,
        account=_account(fields.get("widget", "")),
        contact=limited(fields["contact"], "contact", 200),
        ip=limited(fields.get("create_ip", ""), "address", 64),
        cards=cards,
        failure=failure,
        note=limited(fields.get("leave_message", ""), "message", 2000),
        **times,
    )


def _state(
    fields: dict[str, str], placed: int, now: int
) -> tuple[OrderStatus, dict[str, int | None], tuple[str, ...], str]:
    """The status, its moments, the cards, and why delivery failed."""
    pair = fields["status"], fields["delivery_status"]
    times: dict[str, int | None] = dict.fromkeys(("paid_at", "delivered_at", "completed_at", "cancelled_at"))
    if pair == ("0", "0"):
        if now - placed < UNPAID_FOR:
            return OrderStatus.PENDING_PAYMENT, times, (), ""
        times["cancelled_at"] = placed + UNPAID_FOR
        return OrderStatus.CANCELLED, times, (), ""
    if pair not in (("1", "0"), ("1", "1")):
        raise Unreadable(f"status {shown(pair[0])} with delivery status {shown(pair[1])} is unknown")
    paid = moment(fields["pay_time"], "payment time", now)
    if paid is None:
        raise Unreadable("it is paid but has no payment time")
    if paid < placed:
        raise Unreadable("it was paid before it was placed")
    times["paid_at"] = paid
    secret = fields["secret"]
    if _SORRY.search(secret) and not _CODE.search(secret):
        return OrderStatus.FAILED, times, (), limited(secret, "apology", 500)
    if pair[1] == "0":
        # What stands in `secret` now is a note that somebody will deliver by hand.
        return OrderStatus.PAID, times, (), ""
    cards = tuple(card for line in secret.splitlines() if (card := line.strip()))
    if len(cards) > MAX_CARDS:
        raise Unreadable(f"it has {len(cards)} cards, more than {MAX_CARDS}")
    times["delivered_at"] = times["completed_at"] = paid
    return OrderStatus.COMPLETED, times, cards, ""


def _buyer(fields: dict[str, str], names: _Names) -> ParsedBuyer:
    owner = fields["owner"] or "0"
    if owner == "0":
        contact = limited(fields["contact"], "contact", 200)
        # Guests without a contact are known by their order alone, never lumped together.
        return ParsedBuyer(contact or fields["trade_no"], account=False)
    return ParsedBuyer(limited(names.users.get(owner) or f"user {owner}", "buyer", 200))


def _product(fields: dict[str, str], names: _Names) -> ParsedProduct:
    ref = limited(fields["commodity_id"], "product", 64)
    known = names.products.get(ref, {})
    title = limited(known.get("name") or f"商品 {ref}", "product title", 300)
    return ParsedProduct(
        ref=ref,
        title=title,
        category=category_of(title),
        delivery_kind=DeliveryKind.MANUAL if known.get("delivery_way") == "1" else DeliveryKind.CARD,
        price=money(known.get("price", ""), "price"),
        variant=limited(
            " ".join(filter(None, (fields.get("race", ""), _choices(fields.get("sku", ""))))), "variant", 100
        ),
    )


def _json(text: str) -> dict[str, object]:
    """A JSON object; nothing for anything else."""
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _choices(sku: str) -> str:
    return " ".join(str(value) for value in _json(sku).values() if isinstance(value, (str, int)))


def _account(widget: str) -> str:
    """What the buyer filled in: the field that is an account, else the first one."""
    filled = _json(widget)
    for name in ("account", "phone", "mobile", "qq", "uid", *filled):
        field = filled.get(name)
        value = field.get("value") if isinstance(field, dict) else None
        if value:
            return limited(str(value), "account", 200)
    return ""
