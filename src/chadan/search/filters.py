"""An `OrderQuery`'s conditions on `orders o` (DESIGN §2.1 says what each field matches)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chadan.orders import number
from chadan.orders.states import Coded
from chadan.search.names import (
    Names,
    bound,
    like_part,
    like_pattern,
    lowered,
    ref_condition,
    ref_kinds,
    surviving_equals,
)
from chadan.search.order_query import Exclude, IdMatch, OrderQuery, Range
from chadan.search.permitted import Permitted
from chadan.search.scope_sql import (
    FALSE,
    TRUE,
    Sql,
    among,
    any_of,
    homes_predicate,
    joined,
    not_matching,
    scope_predicate,
)

TIME_COLUMNS = {"paid": "o.paid_at", "completed": "o.completed_at", "refunded": "o.refunded_at"}
_SKEW = timedelta(days=1)
_HAS_ACCOUNT = "o.account <> ''"
"""The index of accounts holds the orders that have one."""
_LATEST = datetime(9999, 12, 1, tzinfo=UTC)
_ID_COLUMNS = {
    "buyer": ("o.buyer_id", "bigint"),
    "merchant": ("o.merchant_id", "bigint"),
    "agent": ("o.agent_id", "bigint"),
    "supplier": ("o.supplier_id", "bigint"),
    "product": ("o.version_id", "bigint"),
    "variant": ("o.version_id", "bigint"),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which orders a query means, ready to be put into a statement."""

    where: Sql
    """Scope and every field but the bounds on the order number."""
    low: int | None = None
    high: int | None = None
    """Order numbers from `low` up to, not including, `high`."""
    search: bool = False
    """Whether an index only the search role can use serves it."""
    nothing: bool = False
    """Whether no order can match."""
    listed: bool = False
    """Whether the order numbers themselves are listed."""

    def within(self, low: int | None = None, high: int | None = None) -> Sql:
        """The whole condition, the order number further limited to [low, high)."""
        lows = [value for value in (self.low, low) if value is not None]
        highs = [value for value in (self.high, high) if value is not None]
        bounds = [Sql("o.order_no >= %s::bigint", (bound(max(lows)),))] if lows else []
        if highs:
            bounds.append(Sql("o.order_no < %s::bigint", (bound(min(highs)),)))
        return joined((self.where, *bounds))


def build(asked: Permitted, names: Names, *, status: bool = True) -> Filter:
    """The filter of a query; `status=False` leaves the status out (tabs count each one)."""
    query, scope = asked.query, asked.scope
    seen = scope_predicate(scope, asked.view)
    parts = [seen, *_words(query, status=status), *_ids(query, names), *_amounts(query)]
    low, high = _time(query, parts)
    if scope.operator and low is None and high is None:
        parts.append(Sql("o.order_no > 0"))  # lets the primary key serve: a capped count stops after 1,001 rows
    if query.account:
        parts.append(account_condition(query.account))
    if query.text:
        parts.append(_text(query.text, names, inside=scope.owns(asked.view)))
    if query.order_no:
        parts.append(_order_no(query.order_no, names))
    if query.external_no:
        parts.append(_external_no(query.external_no, names, asked))
    if query.exclude:
        parts.extend(not_matching(part) for part in _excluded(query.exclude, names) if part is not FALSE)
    return Filter(
        where=joined(parts),
        low=low,
        high=high,
        search=bool(query.account or query.text or query.tag) or _joins_refs(query, names),
        nothing=any(part is FALSE for part in parts),
        listed=bool(query.order_no and query.order_no.equals) or bool(names.numbers.get("external_no")),
    )


def _codes(column: str, words: Sequence[Coded]) -> Sql:
    return among(column, (word.code for word in words), "smallint")


def _words(query: OrderQuery, *, status: bool) -> list[Sql]:
    parts = []
    if query.status and status:
        parts.append(_codes("o.status", query.status))
    if query.category:
        parts.append(_codes("o.category", query.category))
    if query.payment_method:
        parts.append(_codes("o.payment_method", query.payment_method))
    if query.platform:
        parts.append(_platform(query.platform))
    if query.has_after_sale is not None:
        parts.append(Sql("o.has_after_sale" if query.has_after_sale else "not o.has_after_sale"))
    return parts


def _platform(values: Sequence[str]) -> Sql:
    array = lowered(values)
    return Sql(f"lower(o.platform) = any({array.text})", array.params)


def _ids(query: OrderQuery | Exclude, names: Names, prefix: str = "") -> list[Sql]:
    parts = []
    for name, (column, kind) in _ID_COLUMNS.items():
        if getattr(query, name):
            parts.append(among(column, names.ids.get(prefix + name, ()), kind))
    if query.tag:
        tags = names.ids.get(prefix + "tag", [])
        parts.append(Sql("o.tags && %s::integer[]", (sorted(tags),)) if tags else FALSE)
    return parts


def _between(column: str, value: Range | None) -> Sql:
    if value is None:
        return TRUE
    if value.min is not None and value.min == value.max:
        return Sql(f"{column} = %s::bigint", (value.min,))
    low = Sql(f"{column} >= %s::bigint", (value.min,)) if value.min is not None else TRUE
    high = Sql(f"{column} <= %s::bigint", (value.max,)) if value.max is not None else TRUE
    return joined((low, high))


def _amounts(query: OrderQuery) -> list[Sql]:
    ranges = (query.face_value, query.amount, query.quantity)
    columns = ("o.face_value", "o.amount", "o.quantity")
    return [_between(column, value) for column, value in zip(columns, ranges, strict=True)]


def _time(query: OrderQuery, parts: list[Sql]) -> tuple[int | None, int | None]:
    time = query.time
    if time is None:
        return None, None
    if time.field == "placed":
        low = number.floor(time.start) if time.start is not None else None
        return low, number.floor(time.end) if time.end is not None else None
    column = TIME_COLUMNS[time.field]
    if time.start is not None:
        parts.append(Sql(f"{column} >= %s::timestamptz", (time.start,)))
    if time.end is None:
        return None, None
    parts.append(Sql(f"{column} < %s::timestamptz", (time.end,)))
    # Nothing happens more than a day before the order is placed (constraint orders_times): the list starts there, instead of
    # reading every newer order first.
    return None, number.floor(min(time.end, _LATEST) + _SKEW)


def account_condition(match: IdMatch) -> Sql:
    """The top-up account matches, case ignored."""
    if match.equals:
        values = surviving_equals(match)
        if len(values) == 1:
            return Sql(f"{_HAS_ACCOUNT} and lower(o.account) = lower(%s)", values)
        array = lowered(values)
        return Sql(f"{_HAS_ACCOUNT} and lower(o.account) = any({array.text})", array.params) if values else FALSE
    patterns = [like_pattern(kind, text) for kind, text in match.parts()]
    return joined((Sql(_HAS_ACCOUNT), *(Sql("lower(o.account) like lower(%s)", (one,)) for one in patterns)))


def _text(text: str, names: Names, *, inside: bool) -> Sql:
    """Part of title, account or buyer; `inside` of the notes too: nobody else may find out what they say."""
    pattern = f"%{like_part(text)}%"
    parts = [among("o.version_id", names.ids.get("text", ()), "bigint")]
    parts.extend(
        Sql(f"{column} like lower(%s)", (pattern,))
        for column in (f"{_HAS_ACCOUNT} and lower(o.account)", *(("lower(o.note)",) if inside else ()))
    )
    if "\n" not in text:  # a line break divides login and name in buyer_key
        parts.append(Sql("o.buyer_key like lower(%s)", (pattern,)))
    return any_of(parts)


def _order_no(match: IdMatch, names: Names) -> Sql:
    sourced = names.numbers.get("order_no", [])
    if match.equals:
        own = [own for value in surviving_equals(match) if (own := number.digits(value)) is not None]
        return among("o.order_no", [*own, *(sourced or [])], "bigint")
    parts = [_own_number(match)]
    if match.prefix and sourced is not None:
        parts.append(among("o.order_no", sourced, "bigint"))
    else:
        parts.append(
            joined(
                Sql("lower(o.source_order_no) like lower(%s)", (like_pattern(kind, text),))
                for kind, text in match.parts()
            )
        )
    return any_of(parts)


def _own_number(match: IdMatch) -> Sql:
    """The partial matches on our own 19 digits; a prefix is a range."""
    parts: list[Sql] = []
    for kind, text in match.parts():
        if not (text.isascii() and text.isdigit() and len(text) <= number.LENGTH):
            return FALSE
        if kind == "prefix":
            unit = 10 ** (number.LENGTH - len(text))
            low = int(text) * unit
            parts.append(Sql("o.order_no between %s::bigint and %s::bigint", (bound(low), bound(low + unit - 1))))
        elif kind == "suffix" and len(text) < number.LENGTH:
            parts.append(Sql(f"o.order_no %% {10 ** len(text)} = %s::bigint", (int(text),)))
        else:
            parts.append(Sql("lpad(o.order_no::text, 19, '0') like %s", (like_pattern(kind, text),)))
    both = joined(parts)
    return Sql(f"({both.text})", both.params)


def _joins_refs(query: OrderQuery, names: Names) -> bool:
    match = query.external_no
    return match is not None and not match.equals and names.numbers.get("external_no") is None


def _external_no(match: IdMatch, names: Names, asked: Permitted) -> Sql:
    found = names.numbers.get("external_no", [] if match.equals else None)
    if found is not None:
        return among("o.order_no", found, "bigint")
    condition = ref_condition(match)
    where = joined(
        (
            Sql("r.order_no = o.order_no and r.home = o.home"),
            among("r.kind", ref_kinds("external_no", asked), "smallint"),
            condition,
            homes_predicate(asked.scope, "r.home", asked.view),
        )
    )
    return Sql(f"exists (select 1 from external_refs r where {where.text})", where.params)


def _excluded(exclude: Exclude, names: Names) -> list[Sql]:
    parts = _ids(exclude, names, "exclude.")
    if exclude.status:
        parts.append(_codes("o.status", exclude.status))
    if exclude.category:
        parts.append(_codes("o.category", exclude.category))
    if exclude.payment_method:
        parts.append(_codes("o.payment_method", exclude.payment_method))
    if exclude.platform:
        parts.append(_platform(exclude.platform))
    if exclude.account:
        parts.append(account_condition(exclude.account))
    return parts
