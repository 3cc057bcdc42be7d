"""Whatever a supplier answers, its reader says delivered, under way, refused or unknown; never anything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chadan.delivery import supplier_rows
from chadan.delivery.suppliers.base import (
    OutcomeUnknown,
    Purchase,
    Supplied,
    SupplierApi,
    SupplierConfig,
    SupplierRefused,
    SupplierUnreachable,
    SupplyState,
)
from chadan.delivery.suppliers.registry import PROTOCOLS
from chadan.orders import number
from chadan.platform import http_call

WORDS = [
    *(
        "code",
        "msg",
        "data",
        "ok",
        "order_id",
        "order_no",
        "status",
        "fulfillment",
        "payload",
        "amount",
        "tradeNo",
        "secret",
    ),
    *(
        "items",
        "skus",
        "children",
        "price",
        "stock",
        "id",
        "balance",
        "cards",
        "product",
        "product_id",
        "title",
        "detail",
    ),
]
LEAVES = st.sampled_from([None, True, 200, 0, -1, 1.5, "", "9.50", "delivered", "x" * 50, "1e999", "NaN", "卡\n密"])
ANSWERS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=12,
)
LIKELY = st.fixed_dictionaries(
    {"code": st.just(200), "ok": st.just(True), "data": ANSWERS, "order_no": LEAVES}
).flatmap(lambda base: st.dictionaries(st.sampled_from(WORDS), ANSWERS, max_size=5).map(lambda more: {**more, **base}))
PURCHASE = Purchase("c0001", "1", {"race": "月卡", "sku": {"色": "红"}}, 2)
CALLS: dict[str, Callable[[SupplierApi], Any]] = {
    "buy": lambda api: api.buy(PURCHASE),
    "recover": lambda api: api.recover(PURCHASE),
    "look": lambda api: api.look("9/../9"),
    "items": lambda api: api.items(),
    "item": lambda api: api.item("1", {}),
    "balance": lambda api: api.balance(),
}


def connection(protocol: str) -> SupplierApi:
    kind = PROTOCOLS[protocol]
    public = dict.fromkeys(kind.setting_names, "me")
    return kind(SupplierConfig(1, "https://s.example.com", public, dict.fromkeys(kind.secret_names, "sekret")))


@pytest.mark.parametrize("call", list(CALLS))
@pytest.mark.parametrize("protocol", list(PROTOCOLS))
@settings(max_examples=60)
@given(
    body=(ANSWERS | LIKELY).map(json.dumps) | st.text(max_size=20),
    status=st.sampled_from([200, 200, 200, 201, 404, 409, 422, 500]),
)
def test_every_answer_is_understood_or_refused(protocol: str, call: str, body: str, status: int) -> None:
    reply = http_call.Reply(status, {}, body.encode("utf-8", "replace"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http_call, "call", lambda *_, **__: reply)
        try:
            told = CALLS[call](connection(protocol))
        except (SupplierUnreachable, SupplierRefused, OutcomeUnknown):
            return
    if isinstance(told, Supplied):
        assert told.state in SupplyState
        assert told.cost is None or told.cost >= 0


@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_a_server_error_and_a_dead_line_leave_the_outcome_open(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_call, "call", lambda *_, **__: http_call.Reply(502, {}, b'{"ok":false,"code":0}'))
    with pytest.raises(SupplierUnreachable) as caught:
        connection(protocol).buy(PURCHASE)
    assert caught.value.sent

    def dead(*_: object, **__: object) -> None:
        raise http_call.Unreachable("nobody there", sent=False)

    monkeypatch.setattr(http_call, "call", dead)
    with pytest.raises(SupplierUnreachable) as caught:
        connection(protocol).buy(PURCHASE)
    assert not caught.value.sent


@given(st.integers(0, 999), st.integers(1, 999), st.integers(1, 999))
def test_request_numbers_fit_every_protocol_and_are_each_purchases_own(home: int, first: int, second: int) -> None:
    order_no = number.make(number.now(), home)
    one, other = (supplier_rows.request_number(order_no, seq) for seq in (first, second))
    assert (one == other) == (first == second)
    assert one.isascii() and one.isalnum() and len(one) <= min(kind.most_request_no for kind in PROTOCOLS.values())
    assert one != supplier_rows.request_number(order_no + 1, first)
