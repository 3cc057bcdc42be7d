"""Every protocol against the sandbox's gateway over loopback: pay, hear of it, ask, refund, and everything that goes wrong."""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.support.sandboxed import Shop, channel_of, gateway_at, refund_for, request_for, shop_of, start
from tests.support.waiting import eventually

from chadan.payments.gateways.base import (
    GatewayRefused,
    GatewayUnreachable,
    PayState,
    RefundState,
    Show,
)
from chadan.platform.config import get_config
from chadan.sandbox.client import Sandbox, SandboxError
from chadan.sandbox.server import SandboxServer

PROTOCOLS = ["alipay", "epay1", "epay2", "wechat"]
STALE = {"epay2", "wechat"}
"""The protocols whose callbacks carry a signed time."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all, with loopback gateways allowed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHADAN_SANDBOX", "1")
        get_config.cache_clear()
        folder = tmp_path_factory.mktemp("sandbox")
        with SandboxServer(folder, schedule=(0.0, 0.05, 0.05, 0.05)) as server:
            yield Sandbox(server.url)
    get_config.cache_clear()


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop(sandbox: Sandbox, protocol: str) -> Iterator[Shop]:
    with shop_of(gateway_at(sandbox, protocol)) as shop:
        yield shop
    sandbox.clear()


@pytest.fixture
def out_no(request: pytest.FixtureRequest, protocol: str) -> str:
    """A number of its own for every test."""
    return f"T{zlib.crc32(request.node.nodeid.encode()):010d}"


def settled(sandbox: Sandbox, out_no: str, protocol: str, times: int = 1) -> None:
    """Waits until so many callbacks were answered."""
    eventually(lambda: len(sandbox.payment(out_no, protocol)["told"]) >= times, "an answered callback", 20)


def test_the_channel_has_no_problems(sandbox: Sandbox, protocol: str) -> None:
    assert gateway_at(sandbox, protocol).problems() == []


def test_a_payment_is_told_queried_and_refunded(sandbox: Sandbox, shop: Shop, protocol: str, out_no: str) -> None:
    assert shop.gateway.query(out_no).state is PayState.UNKNOWN
    started = start(sandbox, shop, out_no)
    assert started.show in (Show.REDIRECT, Show.QR)
    assert shop.gateway.query(out_no).state is PayState.UNPAID
    sandbox.pay(out_no, protocol)
    told = shop.first()
    asked = shop.gateway.query(out_no)
    for heard in (told, asked):
        assert (heard.state, heard.out_no, heard.amount) == (PayState.PAID, out_no, 1234)
    assert told.txn_no == asked.txn_no == sandbox.payment(out_no, protocol)["txn_no"]
    assert told.payee == asked.payee != ""
    assert asked.paid_at is not None
    settled(sandbox, out_no, protocol)
    assert [answer["taken"] for answer in sandbox.payment(out_no, protocol)["told"]] == [True]

    refund = refund_for(told, 1234)
    assert shop.gateway.can_refund
    assert shop.gateway.query_refund(refund).state is RefundState.UNKNOWN
    assert shop.gateway.refund(refund).state is RefundState.DONE
    assert shop.gateway.query_refund(refund).state is RefundState.DONE
    assert shop.gateway.query(out_no).state is PayState.REFUNDED


def test_a_refund_whose_answer_was_lost_is_sent_once(sandbox: Sandbox, shop: Shop, protocol: str, out_no: str) -> None:
    start(sandbox, shop, out_no)
    sandbox.pay(out_no, protocol)
    refund = refund_for(shop.first(), 1234)
    sandbox.fault("lost", protocol=protocol, operation="refund", times=1)
    with pytest.raises(GatewayUnreachable):
        shop.gateway.refund(refund)
    assert shop.gateway.refund(refund).state is RefundState.DONE
    assert list(sandbox.payment(out_no, protocol)["refunds"].values()) == [1234]


def test_a_refund_of_more_than_was_paid_is_refused(sandbox: Sandbox, shop: Shop, protocol: str, out_no: str) -> None:
    start(sandbox, shop, out_no)
    sandbox.pay(out_no, protocol)
    told = shop.first()
    with pytest.raises(GatewayRefused):
        shop.gateway.refund(refund_for(told, 99999))


@pytest.mark.parametrize("fault", ["forge", "wrong_seller"])
def test_a_callback_that_is_not_ours_is_not_believed(
    sandbox: Sandbox, shop: Shop, protocol: str, out_no: str, fault: str
) -> None:
    start(sandbox, shop, out_no)
    sandbox.fault(fault, protocol=protocol, out_no=out_no)
    sandbox.pay(out_no, protocol)
    settled(sandbox, out_no, protocol, 2)
    assert shop.told == []
    assert len(shop.forged) >= 2
    assert not any(answer["taken"] for answer in sandbox.payment(out_no, protocol)["told"])


def test_an_old_callback_is_not_believed(sandbox: Sandbox, shop: Shop, protocol: str, out_no: str) -> None:
    start(sandbox, shop, out_no)
    sandbox.fault("stale", 301 if protocol in STALE else 0, protocol=protocol, times=1)
    sandbox.pay(out_no, protocol)
    assert shop.first().state is PayState.PAID
    assert len(shop.forged) == (1 if protocol in STALE else 0)


def test_a_wrong_amount_is_told_as_it_was_said(sandbox: Sandbox, shop: Shop, protocol: str, out_no: str) -> None:
    start(sandbox, shop, out_no)
    sandbox.fault("misprice", 1, protocol=protocol, out_no=out_no)
    sandbox.pay(out_no, protocol)
    assert shop.first().amount == 1
    assert shop.gateway.query(out_no).amount == 1234


def test_a_lying_callback_is_unmasked_by_a_query(sandbox: Sandbox, shop: Shop, protocol: str, out_no: str) -> None:
    start(sandbox, shop, out_no)
    sandbox.fault("unpaid", protocol=protocol, out_no=out_no)
    sandbox.pay(out_no, protocol)
    assert shop.first().state is PayState.PAID
    assert shop.gateway.query(out_no).state is PayState.UNPAID


def test_callbacks_are_dropped_repeated_and_doubled(sandbox: Sandbox, shop: Shop, protocol: str, out_no: str) -> None:
    start(sandbox, shop, out_no)
    sandbox.fault("drop", protocol=protocol, out_no=out_no, times=1)
    sandbox.fault("duplicate", 5, protocol=protocol, out_no=out_no, times=1)
    sandbox.pay(out_no, protocol)
    settled(sandbox, out_no, protocol, 6)
    assert [answer["taken"] for answer in sandbox.payment(out_no, protocol)["told"]] == [False, *[True] * 5]
    assert len({told.txn_no for told in shop.told}) == 1


def test_a_refused_callback_comes_again(sandbox: Sandbox, shop: Shop, protocol: str, out_no: str) -> None:
    start(sandbox, shop, out_no)
    shop.takes = False
    sandbox.pay(out_no, protocol)
    settled(sandbox, out_no, protocol, 4)
    shop.takes = True
    sandbox.retry(out_no, protocol)
    assert sandbox.payment(out_no, protocol)["told"][-1]["taken"]


def test_callbacks_arrive_in_another_order(sandbox: Sandbox, shop: Shop, protocol: str, out_no: str) -> None:
    first, second = f"{out_no}A", f"{out_no}B"
    for number in (first, second):
        start(sandbox, shop, number)
    sandbox.fault("reorder", protocol=protocol, out_no=first)
    sandbox.pay(first, protocol)
    sandbox.pay(second, protocol)
    eventually(lambda: len(shop.told) == 2, "both callbacks", 20)
    assert [told.out_no for told in shop.told] == [second, first]


def test_a_callback_may_be_quicker_than_the_answer_to_create(
    sandbox: Sandbox, shop: Shop, protocol: str, out_no: str
) -> None:
    sandbox.fault("early", protocol=protocol, out_no=out_no)
    start(sandbox, shop, out_no)
    assert [told.out_no for told in shop.told] == [out_no]


@pytest.mark.parametrize("fault", ["error", "lost", "timeout"])
def test_a_gateway_that_does_not_answer_leaves_the_payment_unknown(
    sandbox: Sandbox, shop: Shop, protocol: str, out_no: str, fault: str
) -> None:
    start(sandbox, shop, out_no)
    sandbox.fault(fault, protocol=protocol, operation="query", times=1)
    with pytest.raises(GatewayUnreachable) as caught:
        shop.gateway.query(out_no)
    assert not any(secret in str(caught.value) for secret in channel_of(sandbox, protocol).secrets.values())
    assert shop.gateway.query(out_no).state is PayState.UNPAID


def test_a_payment_that_was_given_up_is_never_paid(sandbox: Sandbox, shop: Shop, protocol: str, out_no: str) -> None:
    start(sandbox, shop, out_no)
    sandbox.close(out_no, protocol)
    sandbox.pay(out_no, protocol)
    assert shop.gateway.query(out_no).state in (PayState.CLOSED, PayState.UNPAID)


def test_a_payment_of_another_amount_under_the_same_number_is_refused(
    sandbox: Sandbox, shop: Shop, protocol: str, out_no: str
) -> None:
    start(sandbox, shop, out_no)
    with pytest.raises((GatewayRefused, RuntimeError)):
        sandbox.visit(shop.gateway.create(request_for(shop, out_no, 1)).url)


def test_the_buyer_pays_on_the_cashiers_page(sandbox: Sandbox, shop: Shop, protocol: str, out_no: str) -> None:
    started = shop.gateway.create(request_for(shop, out_no))
    cashier = sandbox.visit(started.url)
    page = sandbox._call("GET", cashier)[2].decode()
    assert "沙箱：确认支付" in page
    assert "¥12.34" in page
    assert "&lt;100%&gt;" in page
    assert sandbox._call("POST", f"{cashier}/pay", {})[0] == 303
    assert shop.first().state is PayState.PAID
    assert "沙箱：确认支付" not in sandbox._call("GET", cashier)[2].decode()


@pytest.mark.parametrize(
    ("protocol", "way", "device", "show"),
    [
        ("epay1", "mapi", "pc", Show.REDIRECT),
        ("epay2", "create", "mobile", Show.REDIRECT),
        ("alipay", "qr", "pc", Show.QR),
        ("alipay", "wap", "pc", Show.REDIRECT),
        ("alipay", "auto", "mobile", Show.REDIRECT),
        ("wechat", "h5", "pc", Show.REDIRECT),
        ("wechat", "auto", "mobile", Show.REDIRECT),
    ],
)
def test_every_way_of_a_protocol_leads_to_the_cashier(
    sandbox: Sandbox, protocol: str, way: str, device: str, show: Show, out_no: str
) -> None:
    gateway = gateway_at(sandbox, protocol, way=way)
    assert gateway.problems() == []
    with shop_of(gateway) as shop:
        started = gateway.create(request_for(shop, out_no, device=device))
        assert started.show is show
        assert "/cashier/" in sandbox.visit(started.url)
        sandbox.pay(out_no, protocol)
        assert shop.first().state is PayState.PAID


@pytest.mark.parametrize("protocol", ["wechat"])
def test_the_h5_buyer_returns_to_the_shop(sandbox: Sandbox, protocol: str, out_no: str) -> None:
    gateway = gateway_at(sandbox, protocol, way="h5")
    with shop_of(gateway) as shop:
        page = sandbox.visit(gateway.create(request_for(shop, out_no)).url)
        status, location, _ = sandbox._call("POST", f"{page.partition('?')[0]}/pay", {})
        assert (status, location) == (303, f"{shop.url}/return")
        shop.first()


@pytest.mark.parametrize(("protocol", "way"), [("epay2", "create"), ("alipay", "qr"), ("wechat", "native")])
def test_an_answer_the_gateway_did_not_sign_is_none(sandbox: Sandbox, protocol: str, way: str, out_no: str) -> None:
    gateway = gateway_at(sandbox, protocol, way=way)
    with shop_of(gateway) as shop:
        sandbox.fault("unsigned", protocol=protocol)
        with pytest.raises(GatewayUnreachable):
            gateway.create(request_for(shop, out_no))
        with pytest.raises(GatewayUnreachable):
            gateway.query(out_no)
        sandbox.clear()


@pytest.mark.parametrize("protocol", ["epay2", "alipay", "wechat"])
def test_parts_are_refunded_each_under_its_number(sandbox: Sandbox, shop: Shop, protocol: str, out_no: str) -> None:
    start(sandbox, shop, out_no)
    sandbox.pay(out_no, protocol)
    told = shop.first()
    for number, amount in (("RA", 200), ("RB", 1034)):
        refund = refund_for(told, amount, out_no + number)
        for _ in range(2):
            assert shop.gateway.refund(refund).state is RefundState.DONE
    assert sandbox.payment(out_no, protocol)["refunds"] == {f"{out_no}RA": 200, f"{out_no}RB": 1034}


@pytest.mark.parametrize("protocol", ["epay1"])
def test_epay_v1_refuses_to_refund_a_part(sandbox: Sandbox, shop: Shop, protocol: str, out_no: str) -> None:
    start(sandbox, shop, out_no)
    sandbox.pay(out_no, protocol)
    told = shop.first()
    with pytest.raises(GatewayRefused, match=r"part|部分"):
        shop.gateway.refund(refund_for(told, 200))
    assert not gateway_at(sandbox, protocol, refunds="0").can_refund


@pytest.mark.parametrize("protocol", ["alipay"])
def test_a_refund_from_the_gateways_back_office_is_told(
    sandbox: Sandbox, shop: Shop, protocol: str, out_no: str
) -> None:
    start(sandbox, shop, out_no)
    sandbox.pay(out_no, protocol)
    shop.first()
    sandbox.refund(out_no, 234, protocol)
    sandbox.refund(out_no, 1000, protocol)
    eventually(lambda: len(shop.told) == 3, "three callbacks", 20)
    assert {told.state for told in shop.told} == {PayState.PAID, PayState.REFUNDED}


def test_the_wrong_key_opens_nothing(sandbox: Sandbox, protocol: str, out_no: str) -> None:
    name, value = {
        "epay1": ("key", "0" * 32),
        "wechat": ("apiv3_key", "0" * 32),
    }.get(protocol, ("public_key", sandbox.channel("wechat")[0]["public_key"]))
    with shop_of(gateway_at(sandbox, protocol, **{name: value})) as shop:
        right = gateway_at(sandbox, protocol)
        sandbox.visit(right.create(request_for(shop, out_no)).url)
        sandbox.pay(out_no, protocol)
        settled(sandbox, out_no, protocol)
        assert shop.told == []
        assert shop.forged


def test_the_control_api_is_for_this_machines_programs_alone(sandbox: Sandbox) -> None:
    parts = urlsplit(sandbox.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    for method, headers, status in (
        ("GET", {"Host": "evil.example"}, 421),
        ("POST", {"Content-Type": "text/plain"}, 415),
        ("POST", {"Content-Type": "application/json"}, 404),
    ):
        connection.request(method, "/_control/pay", "{}" if method == "POST" else None, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    connection.close()
    with pytest.raises(SandboxError, match="visit its page first"):
        sandbox.pay("T-NEVER")
    with pytest.raises(SandboxError):
        sandbox.fault("nonsense")
    assert sandbox.overview()["protocols"] == PROTOCOLS


def test_loopback_gateways_are_for_the_sandbox_alone(
    sandbox: Sandbox, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = gateway_at(sandbox, protocol)
    monkeypatch.setenv("CHADAN_SANDBOX", "0")
    get_config.cache_clear()
    try:
        with pytest.raises(GatewayUnreachable):
            gateway.query("T1")
        assert any("CHADAN_SANDBOX" in problem for problem in gateway.problems())
    finally:
        monkeypatch.undo()
        get_config.cache_clear()


def test_keys_and_payments_outlive_a_restart(tmp_path: Path, sandbox: Sandbox) -> None:
    with SandboxServer(tmp_path) as server:
        first = Sandbox(server.url)
        channels = {name: first.channel(name)[1] for name in PROTOCOLS}
        with shop_of(gateway_at(first, "epay1")) as shop:
            start(first, shop, "T-KEPT", 500)
            first.pay("T-KEPT")
            shop.first()
            settled(first, "T-KEPT", "epay1")
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0
    with SandboxServer(tmp_path) as server:
        again = Sandbox(server.url)
        assert {name: again.channel(name)[1] for name in PROTOCOLS} == channels
        assert gateway_at(again, "epay1").query("T-KEPT").state is PayState.PAID
