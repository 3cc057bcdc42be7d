"""Gateways that repeat, reorder, forge, misprice and lie (rows 6 to 10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from tests.support.fault_ground import Ground
from tests.support.fault_proxy import Passing
from tests.support.waiting import eventually

PROTOCOLS = ("epay1", "epay2", "alipay", "wechat")


@pytest.fixture(scope="module")
def shop(ground: Ground) -> dict[str, Any]:
    return ground.shop(60, twice="alipay")


def test_row_06_ten_callbacks_at_once_are_one_payment(ground: Ground, shop: dict[str, Any]) -> None:
    orders = []
    for protocol in PROTOCOLS:
        order_no, out_no = ground.begin(shop, protocol)
        orders.append(order_no)
        ground.sandbox.fault("duplicate", 10, out_no=out_no, protocol=protocol, times=1)
        ground.sandbox.pay(out_no, protocol)
    taken = 0
    for order_no, protocol in zip(orders, PROTOCOLS, strict=True):
        ground.site.becomes(order_no, "delivered")
        out_no = ground.site.one("select out_no from order_payments where order_no = %s", order_no)
        told = eventually(lambda o=out_no, p=protocol: ten(ground, o, p), f"ten answers to {protocol}", 40)  # type: ignore[misc]
        taken += sum(1 for _status, _body, ok in told if ok)
        assert ground.money(order_no) == (1000, 0)
        postings = "select count(*) from ledger_postings where order_no = %s and kind = 0"
        kinds = ground.site.rows("select kind, count(*) from ledger_postings where order_no = %s group by 1", order_no)
        assert all(many == 1 for _kind, many in kinds), (postings, kinds)
    ground.record(
        "6",
        "10 copies of a callback at once, each of 4 protocols",
        "one payment, all `success`",
        f"{len(orders)} payments, {taken} of {10 * len(orders)} copies taken",
        orders,
    )
    assert taken >= 10 * len(orders)


def ten(ground: Ground, out_no: str, protocol: str) -> list[tuple[int, str, bool]]:
    """The answers to a callback, once the copies of the first try have been answered."""
    told = ground.answers(out_no, protocol)
    return told if sum(1 for one in told if one[2]) >= 10 else []


def test_row_07_facts_out_of_order_converge(ground: Ground, shop: dict[str, Any]) -> None:
    early = told_before_it_is_created(ground, shop)
    back = refunded_before_paid(ground, shop)
    late, missing = paid_after_expiry(ground, shop)
    ground.record(
        "7",
        "callback before the create's answer; refund before paid; paid after expiry (with and without stock)",
        "parked, then converges",
        "delivered; left unpaid with nothing sent; delivered late; money returned",
        [*early, back, late, missing],
    )


def told_before_it_is_created(ground: Ground, shop: dict[str, Any]) -> list[int]:
    """The gateway's callback arrives while we still wait for the answer that creates the payment."""
    orders = []
    for protocol in ("wechat", "epay2"):
        ground.sandbox.fault("early", protocol=protocol, times=1)
        guest = ground.guest()
        order_no = guest.order(shop["page"])
        assert guest.start(order_no, shop["channels"][protocol]).status == 302
        if protocol == "epay2":
            ground.visited(order_no)
        ground.site.becomes(order_no, "delivered")
        orders.append(order_no)
    return orders


def refunded_before_paid(ground: Ground, shop: dict[str, Any]) -> int:
    """The gateway took the money and gave it back; of both we hear the first last."""
    order_no, out_no = ground.begin(shop, "epay1")
    ground.sandbox.fault("drop", out_no=out_no, protocol="epay1")
    ground.sandbox.pay(out_no, "epay1")
    ground.sandbox.refund(out_no, 1000, "epay1")
    ground.sandbox.clear(out_no=out_no)
    ground.sandbox.retry(out_no, "epay1")
    eventually(lambda: ground.verdicts(order_no), "a verdict", 30)
    assert ground.site.status(order_no) == "pending_payment"
    assert ground.money(order_no) == (0, 0)
    return order_no


def paid_after_expiry(ground: Ground, shop: dict[str, Any]) -> tuple[int, int]:
    """Cancelled for want of payment, then paid: delivered where there is stock, else the money goes back."""
    empty = ground.shop(1)
    begun = [ground.begin(shop, "alipay"), ground.begin(empty, "alipay")]
    ground.site.becomes(deliver_one(ground, empty), "delivered")
    for order_no, _out_no in begun:
        expire(ground, order_no)
    for _order_no, out_no in begun:
        ground.sandbox.pay(out_no, "alipay")
    (late, _), (missing, out_no) = begun
    ground.site.becomes(late, "delivered")
    ground.site.becomes(missing, "refunded")
    assert ground.money(missing) == (1000, 1000)
    assert ground.sandbox.payment(out_no, "alipay")["state"] == "refunded"
    return late, missing


def deliver_one(ground: Ground, shop: dict[str, Any]) -> int:
    """Another buyer is quicker."""
    order_no, out_no = ground.begin(shop, "epay1")
    ground.sandbox.pay(out_no, "epay1")
    return order_no


def expire(ground: Ground, order_no: int) -> None:
    """Half an hour passes for an order: what is stored of it moves into the past, and the sweep finds it."""
    ground.site.rows(
        "update order_checkouts set expires_at = expires_at - interval '31 minutes' where order_no = %s", order_no
    )
    ground.site.rows(
        "update order_events set at = at - interval '31 minutes' where order_no = %s and order_seq = 1", order_no
    )
    ground.site.becomes(order_no, "cancelled")


def test_row_08_forged_and_downgraded_signatures_are_refused(ground: Ground, shop: dict[str, Any]) -> None:
    orders = []
    for protocol in PROTOCOLS:
        order_no, out_no = ground.begin(shop, protocol)
        orders.append(order_no)
        ground.sandbox.fault("forge", out_no=out_no, protocol=protocol)
        ground.sandbox.pay(out_no, protocol)
        eventually(lambda o=out_no, p=protocol: ground.answers(o, p), "an answer", 30)  # type: ignore[misc]
        assert not any(ok for _status, _body, ok in ground.answers(out_no, protocol))
        assert ground.money(order_no) == (0, 0)
        assert ground.site.status(order_no) == "pending_payment"
    downgraded = downgrade(ground, shop, orders[1])
    refused = [
        ground.hand("enable", owner=shop["owner"], protocol=protocol, sandbox=ground.sandbox.url, without=secret)
        for protocol, secret in (("epay1", "key"), ("epay2", "private_key"), ("wechat", "apiv3_key"))
    ]
    assert [one.get("error") for one in refused] == ["UnsafeChannel"] * 3, refused
    # The buyers have paid: once the gateways are honest again, or asked, the money is found.
    for protocol in PROTOCOLS:
        ground.sandbox.clear(protocol=protocol)
    for order_no in orders:
        ground.site.becomes(order_no, "delivered", 100)
    ground.record(
        "8",
        "forged signature (4 protocols); RSA callback re-signed with MD5; channel with an empty secret (3)",
        "rejected; channel cannot be enabled",
        f"0 moved, {downgraded} downgrades refused, 3 of 3 channels stayed shut; paid by honest repeats",
        orders,
    )


def downgrade(ground: Ground, shop: dict[str, Any], order_no: int) -> int:
    """The callback of an RSA protocol, signed with MD5 and what is public, in three ways; returns how many were refused."""
    import hashlib

    (passing, _answer) = ground.proxy.of(f"{order_no:019d}")[-1]
    target, _, query = passing.target.partition("?")
    fields = dict(parse_qsl(query or passing.body.decode()))
    refused = 0
    for key in ("", fields["pid"], "0" * 32):
        bare = {name: value for name, value in fields.items() if name not in ("sign", "sign_type")}
        text = "&".join(f"{name}={bare[name]}" for name in sorted(bare) if bare[name]) + key
        signed = {**bare, "sign": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), "sign_type": "MD5"}
        status, _headers, body = ground.proxy.send(replace(passing, target=f"{target}?{urlencode(signed)}", body=b""))
        refused += (status, body) != (200, b"success")
    assert refused == 3 and ground.money(order_no)[0] == 0
    return refused


def test_row_09_rightly_signed_and_wrong_in_substance(ground: Ground, shop: dict[str, Any]) -> None:
    orders, alerts = [], 0
    for protocol in PROTOCOLS:
        for kind, value in (("misprice", 1), ("wrong_seller", 0)):
            order_no, out_no = ground.begin(shop, protocol)
            orders.append(order_no)
            ground.sandbox.fault(kind, value, out_no=out_no, protocol=protocol)
            ground.sandbox.pay(out_no, protocol)
            eventually(lambda o=out_no, p=protocol: ground.answers(o, p), "an answer", 30)  # type: ignore[misc]
            assert not any(ok for _status, _body, ok in ground.answers(out_no, protocol))
            assert ground.money(order_no) == (0, 0)
    swapped, out_no = ground.begin(shop, "alipay")
    orders.append(swapped)
    own, other = (f"/pay/notify/{shop['channels'][name]}/" for name in ("alipay", "alipay-2"))
    ground.proxy.rules[out_no] = lambda passing: [replace(passing, target=passing.target.replace(own, other))]
    ground.sandbox.pay(out_no, "alipay")
    eventually(lambda: ground.answers(out_no, "alipay"), "an answer", 30)
    assert ground.money(swapped) == (0, 0)
    alerts = ground.site.one(
        "select count(*) from order_events where order_no = any(%s) and type = 'payment.alert'", orders
    )
    assert alerts >= len(PROTOCOLS) + 1
    ground.proxy.rules.clear()
    for protocol in PROTOCOLS:
        ground.sandbox.clear(protocol=protocol)
    for order_no in orders:
        ground.site.becomes(order_no, "delivered", 100)
    ground.record(
        "9",
        "valid signature with another amount, seller (4 protocols each), channel",
        "rejected, alert",
        f"0 of {len(orders)} believed, {alerts} alerts; paid by honest repeats",
        orders,
    )


def test_row_10_a_callback_the_gateway_does_not_stand_by_is_held(ground: Ground, shop: dict[str, Any]) -> None:
    orders = []
    for protocol in ("epay1", "epay2"):
        order_no, out_no = ground.begin(shop, protocol)
        orders.append(order_no)
        ground.sandbox.fault("unpaid", out_no=out_no, protocol=protocol)
        ground.sandbox.pay(out_no, protocol)
        eventually(lambda o=order_no: ground.verdicts(o), "a verdict", 30)  # type: ignore[misc]
        assert "held" in ground.verdicts(order_no)
        assert ground.money(order_no) == (0, 0)
        assert ground.site.status(order_no) == "pending_payment"
    ground.record(
        "10",
        "rightly signed “paid”, the gateway says unpaid when it is asked (2 protocols)",
        "held",
        f"{len(orders)} of {len(orders)} held, nothing delivered",
        orders,
    )


def age(ground: Ground, order_no: int, span: timedelta) -> None:
    """Time passes for the attempts to pay an order."""
    ground.site.rows("update order_payments set created_at = created_at - %s where order_no = %s", span, order_no)


def passings(ground: Ground, out_no: str) -> list[Passing]:
    """The callbacks about a payment, as they passed."""
    return [passing for passing, _answer in ground.proxy.of(out_no)]
