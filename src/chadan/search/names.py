"""Names people type, looked up once before an order statement is written: ids make better plans than joins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chadan.orders import number
from chadan.orders.states import Category
from chadan.platform.scope import Matter, Scope, Session
from chadan.search.order_query import IdMatch
from chadan.search.permitted import Permitted
from chadan.search.scope_sql import FALSE, TRUE, Sql, among, any_of, homes_predicate, joined

MANY = 1000
"""More numbers than this are not listed in a statement: a semi-join finds them."""

CATEGORY_NAMES: dict[Category, tuple[str, ...]] = {
    Category.PHONE_TOPUP: ("话费", "话费充值"),
    Category.DATA_PLAN: ("流量", "流量充值"),
    Category.GAME_CARD: ("点卡", "游戏点卡"),
    Category.VIDEO_MEMBER: ("视频会员",),
    Category.MUSIC_MEMBER: ("音乐会员",),
    Category.SOFTWARE_KEY: ("激活码", "软件激活码"),
    Category.GIFT_CARD: ("礼品卡",),
    Category.OTHER: ("其他",),
}
"""The standard Chinese names of the categories: what `product` matches besides brand, title and category title."""


@dataclass(slots=True)
class Names:
    """Ids behind the names of a query. A missing key means the query does not name such a thing."""

    ids: dict[str, list[int]] = field(default_factory=dict)
    """By `field` or `exclude.field`, and `text` for the versions whose title contains the text."""
    numbers: dict[str, list[int] | None] = field(default_factory=dict)
    """Order numbers behind `order_no` (the source's numbers) and `external_no`; None when there are too many."""


def like_part(text: str) -> str:
    """`text` with LIKE's wildcards made literal."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def like_pattern(kind: str, text: str) -> str:
    """The LIKE pattern for a prefix, suffix or contained text."""
    return {"prefix": "{}%", "suffix": "%{}", "contains": "%{}%"}[kind].format(like_part(text))


def lowered(values: Sequence[str]) -> Sql:
    """An array of the values, lowered by the database itself, so that both sides follow one rule."""
    return Sql(f"array[{', '.join(['lower(%s)'] * len(values))}]", tuple(values))


def surviving_equals(match: IdMatch) -> tuple[str, ...]:
    """The `equals` values that also satisfy the partial matches: a number that equals one is that one."""
    tests = {"prefix": str.startswith, "suffix": str.endswith, "contains": str.__contains__}
    parts = [(tests[kind], text.lower()) for kind, text in match.parts()]
    return tuple(value for value in match.equals if all(test(value.lower(), text) for test, text in parts))


def resolve(session: Session, asked: Permitted) -> Names:
    """Looks up everything a query names, in at most two round trips."""
    names = Names()
    wanted = list(_lookups(asked))
    if wanted:
        found = session.many([(sql.text, sql.params) for _, sql in wanted])
        names.ids = {key: [row[0] for row in rows] for (key, _), rows in zip(wanted, found, strict=True)}
    outside = list(_outside(asked))
    if outside:
        found = session.many([(sql.text, sql.params) for _, sql in outside], search=True)
        for (key, _), rows in zip(outside, found, strict=True):
            many = len(rows) > MANY and not getattr(asked.query, key).equals
            names.numbers[key] = None if many else sorted({row[0] for row in rows})
    return names


def _lookups(asked: Permitted) -> list[tuple[str, Sql]]:
    wanted: list[tuple[str, Sql]] = []
    scope, query, view = asked.scope, asked.query, asked.view
    for prefix, holder in (("", query), ("exclude.", query.exclude)):
        if holder is None:
            continue
        for name in ("product", "variant", "buyer", "merchant", "agent", "supplier", "tag"):
            values = getattr(holder, name)
            if values:
                wanted.append((prefix + name, _named(name, [value.casefold() for value in values], scope, view)))
    if query.text:
        pattern = f"%{like_part(query.text.casefold())}%"
        wanted.append(("text", _versions(Sql("title_key like %s", (pattern,)), scope, view)))
    return wanted


def _named(name: str, keys: list[str], scope: Scope, view: str | None) -> Sql:
    if name == "product":
        return _versions(product_condition(keys), scope, view)
    if name == "variant":
        return _versions(Sql("variant_key = any(%s)", (keys,)), scope, view)
    if name == "buyer":
        return Sql("select id from buyers where login_key = any(%s) or name_key = any(%s)", (keys, keys))
    if name in ("merchant", "agent"):
        return Sql("select id from merchants where name_key = any(%s) or slug = any(%s)", (keys, keys))
    where = joined((Sql("name_key = any(%s)", (keys,)), _owned(scope, view)))
    return Sql(f"select id from {name}s where {where.text}", where.params)


def product_condition(keys: list[str]) -> Sql:
    """On product_versions: a brand, part of the title or category title, or of the category's standard names."""
    patterns = [f"%{like_part(key)}%" for key in keys]
    codes = [word.code for word, known in CATEGORY_NAMES.items() if any(key in name for key in keys for name in known)]
    texts = Sql(
        "brand_key = any(%s) or title_key like any(%s) or category_key like any(%s)", (keys, patterns, patterns)
    )
    return any_of((texts, among("category", codes, "smallint")))


def _versions(condition: Sql, scope: Scope, view: str | None) -> Sql:
    where = joined((condition, _owned(scope, view)))
    return Sql(f"select id from product_versions where {where.text}", where.params)


def _owned(scope: Scope, view: str | None) -> Sql:
    if scope.merchants and view not in ("purchases", "consumer"):
        return joined((among("merchant_id", scope.merchants, "bigint"), among("home", scope.homes, "smallint")))
    return TRUE


def ref_kinds(name: str, asked: Permitted) -> tuple[int, ...]:
    """The kinds of outside numbers a field means: a supplier's are asked about by those only who see suppliers."""
    if name == "order_no":
        return (4,)
    return (1, 2, 3) if asked.scope.may_ask(Matter.SUPPLIER, asked.view) else (1, 2)


def _outside(asked: Permitted) -> list[tuple[str, Sql]]:
    wanted: list[tuple[str, Sql]] = []
    for name in ("order_no", "external_no"):
        match: IdMatch | None = getattr(asked.query, name)
        condition = FALSE if match is None else indexed_ref(match)
        if match is None or condition is FALSE or (name == "order_no" and _all_ours(match)):
            continue
        where = joined(
            (
                condition,
                among("r.kind", ref_kinds(name, asked), "smallint"),
                homes_predicate(asked.scope, "r.home", asked.view),
            )
        )
        sql = f"select distinct r.order_no from external_refs r where {where.text}"
        if not match.equals:
            sql += f" limit {MANY + 1}"
        wanted.append((name, Sql(sql, where.params)))
    return wanted


def _all_ours(match: IdMatch) -> bool:
    """Whether only order numbers of this site are asked for, check digits and all: the primary key answers that."""
    return bool(match.equals) and all(number.parse(value) is not None for value in match.equals)


def indexed_ref(match: IdMatch) -> Sql:
    """The condition on `external_refs r` where an index serves it (equals, prefix, suffix); FALSE otherwise."""
    if match.equals:
        values = surviving_equals(match)
        array = lowered(values)
        return Sql(f"lower(r.ref) = any({array.text})", array.params) if values else FALSE
    if not (match.prefix or match.suffix):
        return FALSE
    return ref_condition(match)


def ref_condition(match: IdMatch) -> Sql:
    """The partial matches as a condition on `external_refs r`."""
    parts: list[Sql] = []
    for kind, text in match.parts():
        if kind == "suffix":
            parts.append(Sql("reverse(lower(r.ref)) like lower(%s)", (like_pattern("prefix", text[::-1]),)))
        else:
            parts.append(Sql("lower(r.ref) like lower(%s)", (like_pattern(kind, text),)))
    return joined(parts)


def bound(value: Any) -> Any:
    """`value` clamped to what a bigint holds."""
    return max(-(2**63), min(2**63 - 1, value))
