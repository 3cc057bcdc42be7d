"""Callbacks that are forged, downgraded, late or meant for somebody else are not believed; channels that are unsafe say so."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from tests.support.gateway_keys import APIV3, OTHER, OURS, THEIRS, channel, gateway, private, public

from chadan.payments.gateways import signing
from chadan.payments.gateways.base import ForgedCallback, GatewayRefused, PayRequest, PayState, RawCallback
from chadan.payments.gateways.registry import gateway_of
from chadan.platform.config import get_config
from chadan.platform.errors import InvalidInput
from chadan.sandbox.keys import public_pem

AT = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
STAMP = str(int(AT.timestamp()))
EPAY = {
    "pid": "1001",
    "trade_no": "2026112400001",
    "out_trade_no": "T1",
    "type": "alipay",
    "name": "VIP会员",
    "money": "1.00",
    "trade_status": "TRADE_SUCCESS",
}
ALIPAY = {
    "app_id": "2021000000000001",
    "seller_id": "2088000000000001",
    "out_trade_no": "T1",
    "trade_no": "2026112422001",
    "total_amount": "1.00",
    "trade_status": "TRADE_SUCCESS",
    "gmt_payment": "2026-11-24 12:00:00",
    "subject": "VIP会员 & 更多",
    "passback_params": "",
}
WECHAT = {
    "mchid": "1900000001",
    "appid": "wx0000000000000001",
    "out_trade_no": "T1",
    "transaction_id": "4200001",
    "trade_state": "SUCCESS",
    "success_time": "2026-11-24T12:00:00+08:00",
    "amount": {"total": 100, "currency": "CNY"},
}


def get(fields: dict[str, str]) -> RawCallback:
    return RawCallback("GET", urlencode(fields), b"", {}, AT)


def epay1(key: str = "0123456789abcdef0123456789abcdef", **changes: str) -> RawCallback:
    fields = {**EPAY, **changes}
    return get({**fields, "sign": signing.md5_sign(fields, key), "sign_type": "MD5"})


def epay2(signer: str = THEIRS, **changes: str) -> RawCallback:
    fields = {**EPAY, "timestamp": STAMP, **changes}
    sign = signing.rsa_sign(signing.private_key(private(signer)), signing.string_to_sign(fields))
    return get({"sign_type": "RSA", **fields, "sign": sign})


def alipay(signer: str = THEIRS, **changes: str) -> RawCallback:
    fields = {**ALIPAY, **changes}
    message = "&".join(f"{name}={value}" for name, value in sorted(fields.items()) if name != "sign_type")
    sign = signing.rsa_sign(signing.private_key(private(signer)), message)
    body = urlencode({"sign_type": "RSA2", **fields, "sign": sign}).encode()
    return RawCallback("POST", "", body, {}, AT)


def wechat(
    signer: str = THEIRS, key: str = APIV3, stamp: str = STAMP, event: str = "TRANSACTION.SUCCESS", **changes: object
) -> RawCallback:
    sealed = AESGCM(key.encode()).encrypt(b"123456789012", json.dumps({**WECHAT, **changes}).encode(), b"transaction")
    resource = {
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": "123456789012",
        "associated_data": "transaction",
        "ciphertext": base64.b64encode(sealed).decode(),
    }
    body = json.dumps({"event_type": event, "resource": resource})
    return signed_by_wechat(body, signer, stamp)


def signed_by_wechat(body: str, signer: str = THEIRS, stamp: str = STAMP) -> RawCallback:
    sign = signing.rsa_sign(signing.private_key(private(signer)), f"{stamp}\nnonce\n{body}\n")
    headers = {
        "wechatpay-serial": "PUB_1",
        "wechatpay-signature": sign,
        "wechatpay-timestamp": stamp,
        "wechatpay-nonce": "nonce",
    }
    return RawCallback("POST", "", body.encode(), headers, AT)


MAKERS: dict[str, Callable[..., RawCallback]] = {"epay1": epay1, "epay2": epay2, "alipay": alipay, "wechat": wechat}
LATE, EARLY = (str(int((AT + timedelta(seconds=seconds)).timestamp())) for seconds in (-301, 301))


@pytest.mark.parametrize("protocol", sorted(MAKERS))
def test_a_right_callback_is_believed(protocol: str) -> None:
    told = gateway(protocol).read_callback(MAKERS[protocol]())
    assert (told.state, told.out_no, told.amount, told.currency) == (PayState.PAID, "T1", 100, "CNY")
    assert told.payee in channel(protocol).settings.values()
    assert told.txn_no


@pytest.mark.parametrize(
    ("protocol", "callback"),
    [
        ("epay1", epay1(key="1" * 32)),
        ("epay1", epay1(pid="1002")),
        ("epay1", epay1(money="1.001")),
        ("epay1", epay1(trade_no="")),
        ("epay1", get({**EPAY, "sign_type": "MD5"})),
        ("epay1", get({**EPAY, "sign": signing.md5_sign(EPAY, "&"), "sign_type": "NONE"})),
        ("epay2", epay2(signer=OTHER)),
        ("epay2", epay2(signer=OURS)),
        ("epay2", epay2(pid="1002")),
        ("epay2", epay2(timestamp=LATE)),
        ("epay2", epay2(timestamp=EARLY)),
        ("epay2", epay2(timestamp="")),
        ("epay2", epay2(sign_type="MD5")),
        ("epay2", epay1()),
        ("alipay", alipay(signer=OTHER)),
        ("alipay", alipay(signer=OURS)),
        ("alipay", alipay(app_id="2021000000000002")),
        ("alipay", alipay(seller_id="2088000000000002")),
        ("alipay", alipay(sign_type="RSA")),
        ("alipay", alipay(trade_status="TRADE_MADE_UP")),
        ("alipay", alipay(total_amount="")),
        ("wechat", wechat(signer=OTHER)),
        ("wechat", wechat(signer=OURS)),
        ("wechat", wechat(key="f" * 32)),
        ("wechat", wechat(stamp=LATE)),
        ("wechat", wechat(stamp=EARLY)),
        ("wechat", wechat(mchid="1900000002")),
        ("wechat", wechat(appid="wx0000000000000002")),
        ("wechat", wechat(event="REFUND.SUCCESS")),
        ("wechat", wechat(amount={"total": "1.00"})),
        ("wechat", signed_by_wechat('{"event_type":"TRANSACTION.SUCCESS","resource":{}}')),
        ("wechat", signed_by_wechat("[]")),
        ("wechat", RawCallback("POST", "", b"{}", {}, AT)),
    ],
)
def test_a_wrong_callback_is_not_believed(protocol: str, callback: RawCallback) -> None:
    with pytest.raises(ForgedCallback):
        gateway(protocol).read_callback(callback)


@pytest.mark.parametrize("protocol", sorted(MAKERS))
def test_a_channel_without_keys_believes_nothing(protocol: str) -> None:
    bare = channel(protocol)
    empty = dict.fromkeys([*bare.settings, *bare.secrets], "")
    unsigned = get({**EPAY, "sign": signing.md5_sign(EPAY, " ").replace(" ", ""), "sign_type": "MD5"})
    for callback in (MAKERS[protocol](), unsigned):
        with pytest.raises(ForgedCallback):
            gateway(protocol, **empty).read_callback(callback)


@given(st.sampled_from(["epay1", "epay2", "alipay"]), st.data())
def test_any_changed_field_makes_a_callback_false(protocol: str, data: st.DataObject) -> None:
    raw = MAKERS[protocol]()
    text = raw.query or raw.body.decode()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("0123456789abcdefXYZ"))
    changed = text[:place] + letter + text[place + 1 :]
    try:
        told = gateway(protocol).read_callback(
            RawCallback(raw.method, changed if raw.query else "", b"" if raw.query else changed.encode(), {}, AT)
        )
    except ForgedCallback:
        return
    assert told == gateway(protocol).read_callback(raw)  # only how a byte is written changed: %2F and %2f


@given(st.binary(max_size=200), st.text(max_size=200), st.dictionaries(st.text(max_size=20), st.text(max_size=20)))
def test_rubbish_is_refused_and_breaks_nothing(body: bytes, query: str, headers: dict[str, str]) -> None:
    for protocol in MAKERS:
        for method in ("GET", "POST"):
            with pytest.raises(ForgedCallback):
                gateway(protocol).read_callback(RawCallback(method, query, body, headers, AT))


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"trade_status": "TRADE_FINISHED"}, PayState.PAID),
        ({"trade_status": "WAIT_BUYER_PAY"}, PayState.UNPAID),
        ({"trade_status": "TRADE_CLOSED"}, PayState.CLOSED),
        ({"trade_status": "TRADE_CLOSED", "refund_fee": "1.00"}, PayState.REFUNDED),
        ({"trade_status": "TRADE_SUCCESS", "refund_fee": "0.40"}, PayState.PAID),
    ],
)
def test_what_alipay_calls_finished_and_closed(changes: dict[str, str], state: PayState) -> None:
    assert gateway("alipay").read_callback(alipay(**changes)).state is state


@pytest.mark.parametrize("protocol", sorted(MAKERS))
def test_the_answer_is_what_the_gateway_waits_for(protocol: str) -> None:
    taken, not_taken = (gateway(protocol).answer(taken=taken) for taken in (True, False))
    if protocol == "wechat":
        assert (taken.status, taken.body) == (204, b"")
        assert not_taken.status == 400
        assert json.loads(not_taken.body) == {"code": "FAIL", "message": "失败"}
    else:
        assert (taken.status, taken.body) == (200, b"success")
        assert (not_taken.status, not_taken.body) == (200, b"fail")


@pytest.mark.parametrize("protocol", sorted(MAKERS))
def test_a_right_channel_has_no_problems_and_shows_no_secrets(protocol: str) -> None:
    assert gateway(protocol).problems() == []
    assert not any(secret in repr(channel(protocol)) for secret in channel(protocol).secrets.values())


@pytest.mark.parametrize(
    ("protocol", "changes", "says"),
    [
        ("epay1", {"key": ""}, "missing"),
        ("epay1", {"key": "short"}, "shorter"),
        ("epay1", {"key": private(OURS)}, "V2"),
        ("epay1", {"key": " 0123456789abcdef"}, "blank"),
        ("epay1", {"pid": " "}, "missing"),
        ("epay1", {"url": "http://pay.example.com/"}, "https://"),
        ("epay1", {"url": "https://me:pw@pay.example.com/"}, "must look like"),
        ("epay1", {"url": "https://pay.example.com/?key=1"}, "must look like"),
        ("epay1", {"url": "ftp://pay.example.com/"}, "must look like"),
        ("epay1", {"url": "https://pay.example.com:99999999/"}, "cannot be read"),
        ("epay1", {"url": "http://127.0.0.1:8090/epay1/"}, "CHADAN_SANDBOX"),
        ("epay1", {"url": "https://[::1]/"}, "CHADAN_SANDBOX"),
        ("epay1", {"join": "glued"}, "must be one of"),
        ("epay2", {"public_key": ""}, "missing"),
        ("epay2", {"public_key": "MD5KEY"}, "public key cannot be read"),
        ("epay2", {"public_key": public(OURS)}, "your own"),
        ("epay2", {"private_key": "0123456789abcdef"}, "private key cannot be read"),
        ("alipay", {"public_key": public(OURS)}, "your own"),
        ("alipay", {"seller_id": ""}, "missing"),
        ("alipay", {"way": "carrier pigeon"}, "must be one of"),
        ("wechat", {"apiv3_key": "short"}, "32 characters"),
        ("wechat", {"apiv3_key": "查" * 32}, "letters and digits"),
        ("wechat", {"public_key_id": ""}, "missing"),
        ("wechat", {"public_key": public(OURS)}, "your own"),
    ],
)
def test_an_unsafe_channel_says_what_is_unsafe(
    protocol: str, changes: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHADAN_SANDBOX", raising=False)
    get_config.cache_clear()
    problems = gateway(protocol, **changes).problems()
    assert any(says in problem for problem in problems), problems
    assert not any(secret and secret in " ".join(problems) for secret in changes.values() if len(secret) > 8)


def test_a_short_rsa_key_is_unsafe_on_either_side() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    pem = short.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    assert any("fewer than 2048" in problem for problem in gateway("alipay", private_key=pem).problems())
    assert any("fewer than 2048" in problem for problem in gateway("alipay", public_key=public_pem(pem)).problems())


@pytest.mark.parametrize("protocol", sorted(MAKERS))
def test_a_channel_without_keys_asks_for_nothing(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.create_connection", lambda *_: pytest.fail("connected"))
    request = PayRequest("T1", 100, "VIP", "https://shop.example.com/n", "https://shop.example.com/r", "1.1.1.1")
    with pytest.raises(GatewayRefused):
        gateway(protocol, **dict.fromkeys(channel(protocol).secrets, "")).create(request)


def test_an_unknown_protocol_is_named() -> None:
    with pytest.raises(InvalidInput, match="bitcoin"):
        gateway_of("bitcoin")
