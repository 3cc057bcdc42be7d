"""Bulk loading: texts arrive as they were, duplicates are left alone, a scope loads its own merchant's orders only."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

import psycopg
import pytest

from chadan.orders.number import SHANGHAI, placed_at
from chadan.orders.records import DeliveryFact, NoteFact, OrderRecord, PaymentFact, RefFact
from chadan.orders.states import RefKind

pytestmark = pytest.mark.integration
AT = int(datetime(2031, 5, 6, 7, 8, 9, tzinfo=SHANGHAI).timestamp())
ACTOR = {"kind": "system", "id": None, "name": 'test "\\"'}
NASTY = "tab\t newline\n return\r backslash\\ \\N quote\" ' {} 测试 🎮 \\x41 \x7f end\\"
SOURCES = itertools.count(7_000_000)


@pytest.fixture(scope="module")
def months(database: Any) -> None:
    from chadan.orders.loading import ensure_months

    ensure_months([AT])


def record(merchant: Any, source: int, ref: str, **fields: Any) -> OrderRecord:
    from tests.support.people import make_version

    values: dict[str, Any] = {
        "order_no": 0,
        "home": merchant.home,
        "placed_at": AT,
        "merchant_id": merchant.pk,
        "buyer_id": 1,
        "buyer_login": "Someone",
        "buyer_name": "Name",
        "version_id": make_version(merchant).pk,
        "category": 0,
        "face_value": None,
        "quantity": 1,
        "status": 4,
        "amount": 100,
        "paid": 100,
        "refunded": 0,
        "cost": 1,
        "fee": 0,
        "payment_method": 0,
        "platform": "shop",
        "account": "1",
        "updated_at": AT,
        "source_order_no": ref,
        "refs": (RefFact(RefKind.SOURCE.code, source, ref),),
    }
    return OrderRecord(**{**values, **fields})


def own(merchant: Any) -> Any:
    from chadan.platform.scope import Scope

    return Scope(merchants=(merchant.pk,), homes=(merchant.home,))


def rows(merchant: Any, sql: str) -> list[tuple[Any, ...]]:
    from chadan.platform.scope import scoped

    with scoped(own(merchant)) as session:
        return session.rows(sql, (merchant.pk,))


def load(merchant: Any, *records: OrderRecord) -> Any:
    from chadan.orders.loading import load_chunk

    return load_chunk(own(merchant), records, ACTOR)


def shop() -> Any:
    from tests.support.people import make_merchant

    return make_merchant()


def test_every_text_arrives_as_it_was(months: None) -> None:
    merchant, source = shop(), next(SOURCES)
    load(
        merchant,
        record(
            merchant,
            source,
            NASTY,
            platform=NASTY,
            account=NASTY,
            buyer_login=NASTY,
            contact=NASTY,
            tags=(3, 1),
            payments=(PaymentFact(None, 0, 1, 100, NASTY, NASTY, AT, AT),),
            deliveries=(DeliveryFact(0, 2, None, NASTY, NASTY, AT, AT),),
            notes=(NoteFact(None, NASTY, True, NASTY, AT),),
        ),
    )
    found = rows(
        merchant,
        "select o.order_no, o.source_order_no, o.platform, o.account, o.note, split_part(o.buyer_key, E'\\nname', 1), p.out_no,"
        " p.txn_no, d.supplier_no, d.reason, n.author, n.body, r.ref, e.per->>'account', e.per->>'contact',"
        " e.biz->>'source_order_no', e.biz->'txn'->>0, e.actor->>'name', o.tags from orders o join order_payments p using (order_no, home)"
        " join order_deliveries d using (order_no, home) join order_notes n using (order_no, home)"
        " join order_events e using (order_no, home) join external_refs r using (order_no, home) where o.merchant_id = %s",
    )
    number, *texts, actor, tags = found[0]
    assert int(placed_at(number).timestamp()) == AT
    assert {text.lower() for text in texts} == {NASTY.lower()}
    assert (actor, tags) == (ACTOR["name"], [1, 3])


def test_a_second_load_brings_only_what_is_new(months: None) -> None:
    merchant, source = shop(), next(SOURCES)
    first = [record(merchant, source, ref) for ref in "abc"]
    assert load(merchant, *first).added == 3
    again = load(merchant, *first, record(merchant, source, "d"), record(merchant, source, "d"))
    assert (again.added, again.duplicates) == (1, [0, 1, 2, 4])
    assert rows(merchant, "select count(*) from orders where merchant_id = %s") == [(4,)]
    # The same numbers of another source are other orders.
    assert load(merchant, *[record(merchant, next(SOURCES), ref) for ref in "abc"]).added == 3


def test_a_chunk_is_whole_or_not_at_all(months: None) -> None:
    merchant, source = shop(), next(SOURCES)
    with pytest.raises(psycopg.errors.CheckViolation):
        load(merchant, record(merchant, source, "good"), record(merchant, source, "bad", quantity=-1))
    assert rows(merchant, "select count(*) from orders where merchant_id = %s") == [(0,)]
    assert load(merchant, record(merchant, source, "good")).added == 1


def test_nobody_loads_orders_of_another_merchant(months: None) -> None:
    mine, theirs = shop(), shop()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        load(mine, record(theirs, next(SOURCES), "x"))
    assert rows(theirs, "select count(*) from orders where merchant_id = %s") == [(0,)]
