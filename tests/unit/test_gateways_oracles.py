"""Our signatures against maintained SDKs: wechatpayv3 and python-alipay-sdk verify ours, we verify theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from alipay import AliPay
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from tests.support.gateway_keys import APIV3, OURS, THEIRS, channel, private, public
from wechatpayv3 import WeChatPay as WeChatPayV3
from wechatpayv3 import WeChatPayType
from wechatpayv3 import utils as wechat_sdk
from wechatpayv3.core import Core

from chadan.payments.gateways import alipay, http_call, wechat
from chadan.payments.gateways.base import GatewayUnreachable, PayRequest, PayState, RawCallback
from chadan.payments.gateways.signing import private_key, public_key
from chadan.sandbox.faults import Faults
from chadan.sandbox.gateway.alipay import AlipayPlatform
from chadan.sandbox.gateway.peer import Twist, World
from chadan.sandbox.gateway.wechat import WeChatPay
from chadan.sandbox.keys import keys_in
from chadan.sandbox.payments import Payments
from chadan.sandbox.wire import Request

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30)
AT = datetime.now(UTC)


def sdk(ours: str, theirs: str) -> AliPay:
    """Alipay's SDK holding `ours` and knowing `theirs`."""
    return AliPay("2021000000000001", app_private_key_string=private(ours), alipay_public_key_string=public(theirs))


def request(subject: str = "VIP会员 月卡", amount: int = 100) -> PayRequest:
    return PayRequest("T1", amount, subject, "https://shop.example.com/n", "https://shop.example.com/r", "1.1.1.1")


@given(WORDS, st.integers(1, 10**9))
@settings(max_examples=25, deadline=None)
def test_alipays_sdk_verifies_our_page_payment(subject: str, amount: int) -> None:
    started = alipay.Alipay(channel("alipay")).create(request(subject, amount))
    fields = dict(parse_qsl(urlsplit(started.url).query))
    signature = fields.pop("sign")
    other_side = sdk(THEIRS, OURS)
    message = "&".join(f"{name}={value}" for name, value in sorted(fields.items()))
    assert other_side._verify(message, signature)
    assert not other_side._verify(message.replace("T1", "T2"), signature)


@given(WORDS)
@settings(max_examples=25, deadline=None)
def test_we_sign_what_alipays_sdk_signs(subject: str) -> None:
    whole = parse_qs(sdk(OURS, THEIRS).api_alipay_trade_page_pay(subject, "T1", "1.00", notify_url="https://a/n"))
    theirs = {name: value[0] for name, value in whole.items()}
    message = "&".join(f"{name}={theirs[name]}" for name in sorted(theirs) if name != "sign")
    assert alipay.signing.rsa_sign(private_key(private(OURS)), message) == theirs["sign"]


@given(WORDS)
@settings(max_examples=25, deadline=None)
def test_we_believe_the_callback_alipays_sdk_signs_and_it_ours(subject: str) -> None:
    fields = {
        "app_id": "2021000000000001",
        "seller_id": "2088000000000001",
        "out_trade_no": "T1",
        "trade_no": "2026112422001",
        "total_amount": "1.00",
        "trade_status": "TRADE_SUCCESS",
        "subject": subject,
    }
    message = "&".join(f"{name}={value}" for name, value in sorted(fields.items()))
    signature = sdk(THEIRS, OURS)._sign(message)
    assert sdk(OURS, THEIRS).verify({**fields, "sign_type": "RSA2"}, signature)
    body = urlencode({**fields, "sign_type": "RSA2", "sign": signature}).encode()
    told = alipay.Alipay(channel("alipay")).read_callback(RawCallback("POST", "", body, {}, AT))
    assert (told.state, told.amount) == (PayState.PAID, 100)


def test_alipays_sdk_and_we_read_the_same_signed_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = '{"code":"10000","msg":"Success","qr_code":"https:\\/\\/qr.alipay.com\\/abc","out_trade_no":"T1"}'
    signature = sdk(THEIRS, OURS)._sign(raw)
    answer = f'{{"alipay_trade_precreate_response":{raw},"sign":"{signature}"}}'
    shop = sdk(OURS, THEIRS)
    assert shop._verify_and_return_sync_response(answer, "alipay_trade_precreate_response")["out_trade_no"] == "T1"

    def reply(body: str) -> None:
        monkeypatch.setattr(alipay, "call", lambda *_, **__: http_call.Reply(200, {}, body.encode()))

    gateway = alipay.Alipay(channel("alipay", way="qr"))
    reply(answer)
    assert gateway.create(request()).url == "https://qr.alipay.com/abc"
    reply(answer.replace("abc", "abd"))
    with pytest.raises(GatewayUnreachable):
        gateway.create(request())


@given(WORDS, st.sampled_from(["GET", "POST"]))
@settings(max_examples=25, deadline=None)
def test_wechats_sdk_verifies_our_authorization(subject: str, method: str) -> None:
    body = json.dumps({"description": subject}, ensure_ascii=False)
    header = wechat.WeChat(channel("wechat"))._authorization(method, "/v3/pay/transactions/native?a=1", body)
    scheme, _, rest = header.partition(" ")
    said = dict(part.split("=", 1) for part in rest.split(","))
    at, nonce, signature = (said[name].strip('"') for name in ("timestamp", "nonce_str", "signature"))
    theirs = wechat_sdk.build_authorization(
        "/v3/pay/transactions/native?a=1", method, "1900000001", "5AB0", private_key(private(OURS)), body, nonce
    )
    assert scheme == theirs.partition(" ")[0]
    assert {part.split("=", 1)[0] for part in theirs.partition(" ")[2].split(",")} == set(said)
    message = f"{method}\n/v3/pay/transactions/native?a=1\n{at}\n{nonce}\n{body}\n"
    assert wechat_sdk.rsa_sign(private_key(private(OURS)), message) == signature


@given(WORDS)
@settings(max_examples=25, deadline=None)
def test_wechats_sdk_and_we_believe_the_same_callback(attach: str) -> None:
    transaction = {
        "mchid": "1900000001",
        "appid": "wx0000000000000001",
        "out_trade_no": "T1",
        "transaction_id": "4200001",
        "trade_state": "SUCCESS",
        "attach": attach,
        "amount": {"total": 100, "currency": "CNY"},
    }
    sealed = wechat.AESGCM(APIV3.encode()).encrypt(b"123456789012", json.dumps(transaction).encode(), b"transaction")
    resource = {
        "algorithm": "AEAD_AES_256_GCM",
        "original_type": "transaction",
        "nonce": "123456789012",
        "associated_data": "transaction",
        "ciphertext": wechat.base64.b64encode(sealed).decode(),
    }
    body = json.dumps({"event_type": "TRANSACTION.SUCCESS", "resource_type": "encrypt-resource", "resource": resource})
    stamp = str(int(AT.timestamp()))
    headers = {
        "wechatpay-serial": "PUB_1",
        "wechatpay-signature": wechat_sdk.rsa_sign(private_key(private(THEIRS)), f"{stamp}\nnonce\n{body}\n"),
        "wechatpay-timestamp": stamp,
        "wechatpay-nonce": "nonce",
        "wechatpay-signature-type": "WECHATPAY2-SHA256-RSA2048",
    }
    shop = Core("1900000001", "5AB0", private(OURS), APIV3, public_key=public(THEIRS), public_key_id="PUB_1")
    opened = json.loads(shop.decrypt_callback(headers, body))
    assert opened == transaction
    told = wechat.WeChat(channel("wechat")).read_callback(RawCallback("POST", "", body.encode(), headers, AT))
    assert (told.state, told.out_no, told.amount) == (PayState.PAID, opened["out_trade_no"], opened["amount"]["total"])
    assert wechat_sdk.rsa_verify(stamp, "nonce", body, headers["wechatpay-signature"], public_key(public(THEIRS)))


@pytest.fixture
def other(tmp_path: Path) -> Iterator[World]:
    """The gateways' side without a server."""
    payments = Payments(tmp_path / "payments.jsonl")
    yield World("http://127.0.0.1:8090", keys_in(tmp_path), payments, Faults(), lambda _payment: None)
    payments.shut()


def test_wechats_sdk_pays_queries_and_refunds_at_the_sandbox(other: World, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = WeChatPay(other)
    channel_settings, secrets = peer.channel()

    def send(method: str, url: str, headers: dict[str, str], body: bytes) -> SimpleNamespace:
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        lower = {name.lower(): value for name, value in headers.items()}
        answer = peer.handle(Request(method, parts.path[1:], parts.query, body, lower, target))
        heads = CaseInsensitiveDict({**answer.headers, "Content-Type": answer.content_type})
        return SimpleNamespace(status_code=answer.status, text=answer.body.decode(), content=b"", headers=heads)

    monkeypatch.setattr("wechatpayv3.core.requests.get", lambda url, headers, **_: send("GET", url, headers, b""))
    monkeypatch.setattr(
        "wechatpayv3.core.requests.post", lambda url, json, headers, **_: send("POST", url, headers, dumps(json))
    )
    shop = WeChatPayV3(
        WeChatPayType.NATIVE,
        channel_settings["mchid"],
        secrets["private_key"],
        channel_settings["serial_no"],
        channel_settings["appid"],
        secrets["apiv3_key"],
        "https://shop.example.com/n",
        public_key=channel_settings["public_key"],
        public_key_id=channel_settings["public_key_id"],
    )
    status, said = shop.pay(description="VIP", out_trade_no="T1", amount={"total": 100})
    assert status == 200
    assert "/cashier/" in json.loads(said)["code_url"]
    payment = other.payments.find("wechat", "T1")
    assert payment is not None
    assert other.payments.pay(payment)
    assert json.loads(shop.query(out_trade_no="T1")[1])["trade_state"] == "SUCCESS"
    callback = peer.callback(payment, Twist())
    assert shop.callback(CaseInsensitiveDict(callback.headers), callback.body)["resource"]["amount"]["total"] == 100
    money = {"refund": 100, "total": 100, "currency": "CNY"}
    assert shop.refund(out_refund_no="R1", amount=money, out_trade_no="T1")[0] == 200
    assert json.loads(shop.query_refund("R1")[1])["status"] == "SUCCESS"


def dumps(value: object) -> bytes:
    """JSON as the requests library sends it and as the SDK signs it."""
    return json.dumps(value).encode()


def test_alipays_sdk_pays_queries_and_refunds_at_the_sandbox(other: World, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = AlipayPlatform(other)
    channel_settings, secrets = peer.channel()

    def send(url: str, *_: object, **__: object) -> BytesIO:
        return BytesIO(peer.handle(Request("GET", "gateway.do", urlsplit(url).query, b"", {})).body)

    monkeypatch.setattr("alipay.urlopen", send)
    shop = AliPay(
        channel_settings["app_id"],
        app_private_key_string=secrets["private_key"],
        alipay_public_key_string=channel_settings["public_key"],
    )
    assert "/cashier/" in shop.api_alipay_trade_precreate("VIP", "T1", "1.00")["qr_code"]
    payment = other.payments.find("alipay", "T1")
    assert payment is not None
    assert other.payments.pay(payment)
    assert shop.api_alipay_trade_query("T1")["trade_status"] == "TRADE_SUCCESS"
    fields = dict(parse_qsl(peer.callback(payment, Twist()).body.decode()))
    assert shop.verify(fields, fields.pop("sign"))
    assert shop.api_alipay_trade_refund("1.00", "T1", out_request_no="R1")["fund_change"] == "Y"
    assert shop.api_alipay_trade_fastpay_refund_query("R1", out_trade_no="T1")["refund_status"] == "REFUND_SUCCESS"
