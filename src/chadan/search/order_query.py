"""`OrderQuery`: the one immutable value behind every question about orders (DESIGN §2.1).

Lists hold alternatives, different fields combine with AND, an absent field does not constrain. Money is fen, times
are aware datetimes in Asia/Shanghai (`from` inclusive, `to` exclusive).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from chadan.orders.states import Category, OrderStatus, PaymentMethod

INTENTS = ("list", "count", "sum", "avg", "top")
METRICS = ("amount", "count", "quantity", "profit")
GROUPS = (
    "product",
    "category",
    "variant",
    "day",
    "week",
    "month",
    "hour",
    "weekday",
    "buyer",
    "merchant",
    "agent",
    "supplier",
    "platform",
    "payment_method",
    "status",
)
TIME_FIELDS = ("placed", "paid", "completed", "refunded")
ROLE_VIEWS = ("consumer", "sales", "agent")
SORTS = ("placed_at", "paid_at", "amount", "metric")
ID_FIELDS = ("order_no", "external_no", "account")
ENUM_FIELDS: dict[str, type[OrderStatus | Category | PaymentMethod]] = {
    "status": OrderStatus,
    "category": Category,
    "payment_method": PaymentMethod,
}
NAME_FIELDS = ("product", "variant", "platform", "buyer", "merchant", "agent", "supplier", "tag")
RANGE_FIELDS = ("face_value", "amount", "quantity")


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the value objects below: immutable, compared by content."""


class IdMatch(_Value, frozen=True, kw_only=True):
    """Which numbers match: any of `equals`, and whatever else is given. Case is ignored."""

    equals: tuple[str, ...] = ()
    prefix: str = ""
    suffix: str = ""
    contains: str = ""

    def parts(self) -> Iterator[tuple[str, str]]:
        """The partial matches given, as (kind, text)."""
        for kind in ("prefix", "suffix", "contains"):
            text = getattr(self, kind)
            if text:
                yield kind, text


class TimeRange(_Value, frozen=True, kw_only=True):
    """A half-open interval on one of an order's timestamps; one bound may be open."""

    field: str
    start: datetime | None = None
    end: datetime | None = None


class Range(_Value, frozen=True, kw_only=True):
    """Both bounds inclusive; fen for money, pieces for quantity."""

    min: int | None = None
    max: int | None = None


class Exclude(_Value, frozen=True, kw_only=True):
    """Orders matching any member are left out."""

    status: tuple[OrderStatus, ...] = ()
    category: tuple[Category, ...] = ()
    payment_method: tuple[PaymentMethod, ...] = ()
    account: IdMatch | None = None
    product: tuple[str, ...] = ()
    variant: tuple[str, ...] = ()
    platform: tuple[str, ...] = ()
    buyer: tuple[str, ...] = ()
    merchant: tuple[str, ...] = ()
    agent: tuple[str, ...] = ()
    supplier: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()


class Sort(_Value, frozen=True, kw_only=True):
    """What comes first."""

    by: str
    dir: str = "desc"


class OrderQuery(_Value, frozen=True, kw_only=True):
    """One question about orders. `OrderQuery()` asks for all of them, newest first."""

    intent: str = "list"
    metric: str = "amount"
    group_by: str | None = None
    order_no: IdMatch | None = None
    external_no: IdMatch | None = None
    account: IdMatch | None = None
    time: TimeRange | None = None
    status: tuple[OrderStatus, ...] = ()
    has_after_sale: bool | None = None
    category: tuple[Category, ...] = ()
    product: tuple[str, ...] = ()
    variant: tuple[str, ...] = ()
    buyer: tuple[str, ...] = ()
    merchant: tuple[str, ...] = ()
    agent: tuple[str, ...] = ()
    supplier: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    platform: tuple[str, ...] = ()
    payment_method: tuple[PaymentMethod, ...] = ()
    face_value: Range | None = None
    amount: Range | None = None
    quantity: Range | None = None
    role_view: str | None = None
    exclude: Exclude | None = None
    sort: Sort | None = None
    limit: int | None = None
    text: str = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> OrderQuery:
        """The query a JSON object describes. Raises InvalidQuery naming the field that is wrong."""
        from chadan.search.checking import check_query

        return check_query(data)

    @classmethod
    def from_json(cls, raw: str | bytes) -> OrderQuery:
        """The query JSON text describes. Raises InvalidQuery; text over 64 KB is refused unread."""
        from chadan.search.checking import read_json

        return cls.from_dict(read_json(raw))

    def to_dict(self) -> dict[str, Any]:
        """The query as JSON-ready data in the schema's order, defaults omitted."""
        return {name: _plain(value) for name, value in _given(self)}

    def to_json(self) -> str:
        """`to_dict` as compact JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))

    def fingerprint(self) -> str:
        """16 hex digits that change when the filter or the order changes: what a page cursor is bound to.

        The order of alternatives and the page size do not matter.
        """
        plain = {name: _canonical(_plain(value)) for name, value in _given(self) if name != "limit"}
        text = _CANONICAL.encode(plain)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def replace(self, **changes: Any) -> OrderQuery:
        """A copy with some fields changed (not checked again)."""
        return msgspec.structs.replace(self, **changes)

    def merged(self, other: OrderQuery) -> OrderQuery:
        """This query with every field `other` sets taken from `other`; exclusions are united field by field."""
        changes = dict(_given(other))
        if self.exclude and other.exclude:
            united = {name: getattr(other.exclude, name) or getattr(self.exclude, name) for name in EXCLUDABLE}
            changes["exclude"] = Exclude(**united)
        return self.replace(**changes)

    def is_bare(self) -> bool:
        """Whether nothing constrains which orders match (order, view and page size aside)."""
        return self.replace(sort=None, limit=None, role_view=None) == OrderQuery()


EXCLUDABLE: tuple[str, ...] = Exclude.__struct_fields__
_DEFAULTS = msgspec.structs.astuple(OrderQuery())
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _given(query: OrderQuery) -> Iterator[tuple[str, Any]]:
    """Names and values of the fields that are not left at their defaults."""
    values = msgspec.structs.astuple(query)
    for name, value, default in zip(OrderQuery.__struct_fields__, values, _DEFAULTS, strict=True):
        if value != default:
            yield name, value


def local_text(moment: datetime) -> str:
    """A local moment as the schema writes it: `YYYY-MM-DDTHH:MM:SS`, no offset."""
    return moment.replace(tzinfo=None, microsecond=0).isoformat()


def _plain(value: Any) -> Any:
    if isinstance(value, TimeRange):
        data = {"field": value.field}
        if value.start is not None:
            data["from"] = local_text(value.start)
        if value.end is not None:
            data["to"] = local_text(value.end)
        return data
    if isinstance(value, _Value):
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: _plain(item) for name, item in fields if item not in (None, "", ())}
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return value


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _canonical(item) for name, item in value.items()}
    return sorted(value) if isinstance(value, list) else value
