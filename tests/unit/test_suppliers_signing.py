"""Signatures of the suppliers' protocols: published vectors, and what must not be signed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chadan.delivery import webhook_signing
from chadan.delivery.suppliers import acg, dujiao
from chadan.delivery.suppliers.base import ForgedReport, RawReport, SupplierConfig, SupplyState

NOW = datetime.fromtimestamp(1_700_000_000, UTC)
BODY = b'{"order_id":9,"downstream_order_no":"c1","status":"delivered","fulfillment":{"status":"delivered","payload":"A\\nB"}}'


def test_acgs_published_signature() -> None:
    fields = {"app_id": "7", "app_key": "K", "code": "abc", "num": 2, "sku": {"色": "红 A"}}
    assert acg.sign(fields, "K") == "91e41a158a54585519c7cad8e749471e"


@given(st.sampled_from(["", None, {}, []]), st.sampled_from(["sign", "race", "a"]))
def test_acg_signs_nothing_that_is_empty_and_not_the_signature(nothing: object, name: str) -> None:
    fields = {"app_id": "7", "num": 0}
    unsigned = "x" if name == "sign" else nothing
    assert acg.sign({**fields, name: unsigned}, "K") == acg.sign(fields, "K")
    assert acg.sign(fields, "K") == hashlib.md5(b"app_id=7&num=0&key=K").hexdigest()


def test_dujiaos_published_signature() -> None:
    said = dujiao.signature("sec", "POST", "/api/v1/upstream/orders", "1700000000", b'{"sku_id":1,"quantity":1}')
    assert said == "f4c0f42748a600b47d01170b2f37a80eb98bd8d2e2cc6628ba23bdc725fcc615"


def report(
    secret: str = "sec", path: str = dujiao.CALLBACK_PATH, stamp: int = 1_700_000_000, key: str = "me"
) -> RawReport:
    headers = {
        "dujiao-next-api-key": key,
        "dujiao-next-timestamp": str(stamp),
        "dujiao-next-signature": dujiao.signature(secret, "POST", path, str(stamp), BODY),
    }
    return RawReport(BODY, headers, NOW)


def connection() -> dujiao.Dujiao:
    return dujiao.Dujiao(SupplierConfig(1, "https://s.example.com", {"api_key": "me"}, {"api_secret": "sec"}))


def test_a_callback_is_signed_over_the_constant_path() -> None:
    told = connection().read_report(report())
    assert (told.state, told.supplier_no, told.request_no) == (SupplyState.DELIVERED, "9", "c1")
    assert tuple(told.cards) == ("A", "B")


@pytest.mark.parametrize(
    "forged",
    [
        report(secret="other"),
        report(path="/supply/notify/1/"),
        report(stamp=1_700_000_061),
        report(stamp=1_699_999_939),
        report(key="somebody"),
        RawReport(BODY, {}, NOW),
    ],
    ids=["secret", "path", "early", "late", "key", "unsigned"],
)
def test_other_callbacks_are_forged(forged: RawReport) -> None:
    with pytest.raises(ForgedReport):
        connection().read_report(forged)


def test_a_connection_without_a_secret_believes_nobody() -> None:
    bare = dujiao.Dujiao(SupplierConfig(1, "https://s.example.com", {"api_key": "me"}, {}))
    with pytest.raises(ForgedReport):
        bare.read_report(report(secret=""))


def test_the_standard_webhooks_example_of_its_specification() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    said = webhook_signing.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(max_size=200), st.integers(-400, 400))
def test_a_webhook_is_believed_within_five_minutes_and_unchanged(body: bytes, age: int) -> None:
    secret, at = webhook_signing.new_secret(), 1_700_000_000
    stamp = str(at - age)
    signed = f"v1,AAAA {webhook_signing.signature(secret, 'm', stamp, body)}"
    headers = {"webhook-id": "m", "webhook-timestamp": stamp, "webhook-signature": signed}
    assert webhook_signing.verified(secret, headers, body, at) == (abs(age) <= 300)
    assert not webhook_signing.verified(secret, headers, body + b"x", at)
    assert not webhook_signing.verified(webhook_signing.new_secret(), headers, body, at)
