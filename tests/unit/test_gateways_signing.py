"""The signatures: published vectors, round trips, and what must break them."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from tests.support.gateway_keys import OTHER, OURS, private, public

from chadan.payments.gateways import signing, values
from chadan.payments.gateways.alipay import raw_members

NAMES = st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1, max_size=12).filter(
    lambda name: name not in signing.UNSIGNED
)
WORDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
FIELDS = st.dictionaries(NAMES, WORDS, min_size=1, max_size=8)
JOINS = st.sampled_from(list(signing.Join))
V1 = {
    "money": "1.00",
    "name": "VIP会员",
    "notify_url": "http://a/n",
    "out_trade_no": "T1",
    "pid": "1001",
    "return_url": "http://a/r",
    "type": "alipay",
}


def test_the_published_vector_of_epay_v1() -> None:
    assert signing.md5_sign(V1, "KEY") == "e341b781dad08bdc65779c554726cff6"


def test_empty_fields_and_the_signature_itself_are_not_signed() -> None:
    whole = {**V1, "param": "", "sign": "x", "sign_type": "MD5"}
    assert signing.string_to_sign(whole) == signing.string_to_sign(V1)
    assert signing.string_to_sign({"b": "2", "a": "1", "B": "0"}) == "B=0&a=1&b=2"


def test_the_dialects_differ() -> None:
    assert signing.md5_sign(V1, "KEY", signing.Join.NAMED) == signing.md5_sign(V1, "&key=KEY")


@given(FIELDS, st.text(min_size=1, max_size=10), JOINS, st.randoms())
def test_md5_holds_whatever_the_order_of_the_fields(
    fields: dict[str, str], key: str, join: signing.Join, random
) -> None:
    key = key.encode(errors="ignore").decode() or "k"
    signed = {**fields, "sign": signing.md5_sign(fields, key, join)}
    shuffled = list(signed.items())
    random.shuffle(shuffled)
    assert signing.md5_verified(dict(shuffled), key, join)
    assert not signing.md5_verified(signed, key + "x", join)
    assert not signing.md5_verified(signed, "", join)


@given(FIELDS, JOINS, st.data())
def test_any_changed_field_breaks_md5(fields: dict[str, str], join: signing.Join, data: st.DataObject) -> None:
    signed = {**fields, "sign": signing.md5_sign(fields, "key", join)}
    name = data.draw(st.sampled_from(sorted(fields)))
    other = data.draw(WORDS.filter(lambda word: word != fields[name]))
    assert not signing.md5_verified({**signed, name: other}, "key", join)
    assert not signing.md5_verified({**signed, f"{name}x": other}, "key", join) or f"{name}x" in fields


@given(WORDS, WORDS)
def test_rsa_round_trip(message: str, other: str) -> None:
    key = signing.private_key(private(OURS))
    signature = signing.rsa_sign(key, message)
    assert signing.rsa_verified(key.public_key(), message, signature)
    assert signing.rsa_verified(key.public_key(), other, signature) is (message == other)
    assert not signing.rsa_verified(signing.public_key(public(OTHER)), message, signature)


@given(st.text(max_size=400))
def test_rubbish_is_never_a_signature(rubbish: str) -> None:
    assert not signing.rsa_verified(signing.public_key(public(OURS)), "message", rubbish)


def test_keys_are_read_as_gateways_hand_them_out() -> None:
    pem, bare = private(OURS), "".join(private(OURS).splitlines()[1:-1])
    key = signing.private_key(pem, check=True)
    old = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    for written in (pem, f"  {pem}\n", bare, base64.encodebytes(old).decode()):
        assert signing.private_key(written).private_numbers() == key.private_numbers()
    for written in (public(OURS), "".join(public(OURS).splitlines()[1:-1])):
        assert signing.same_key(key, signing.public_key(written))


def test_what_is_no_rsa_key_is_refused_without_being_shown() -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    curve_pem = curve.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    for written in (
        "",
        "secret",
        "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----",
        curve_pem,
        public(OURS),
    ):
        with pytest.raises(signing.BadKey) as caught:
            signing.private_key(written)
        assert "secret" not in str(caught.value)
    for written in ("", "secret", private(OURS)):
        with pytest.raises(signing.BadKey):
            signing.public_key(written)


@given(st.integers(0, 10**12))
def test_amounts_survive_the_way_there_and_back(fen: int) -> None:
    assert values.fen_of(values.yuan(fen), "money") == fen


@pytest.mark.parametrize("text", ["", "1.005", "-1", "1e3", "１.00", "1,000", " 1", "0x1", "1.", "NaN"])
def test_what_is_no_amount_is_never_read_as_one(text: str) -> None:
    with pytest.raises(values.Unreadable):
        values.fen_of(text, "money")


@given(st.text(max_size=60), st.integers(0, 130))
def test_shortened_words_are_whole_characters(words: str, most: int) -> None:
    words = words.encode(errors="ignore").decode()
    short = values.shorten(words, most)
    assert words.startswith(short)
    assert len(short.encode()) <= most


@pytest.mark.parametrize("raw", ["a=1&a=2", "a=%ff", "&".join(f"f{n}=1" for n in range(101))])
def test_fields_that_can_be_read_in_two_ways_are_not_read(raw: str) -> None:
    with pytest.raises(values.Unreadable):
        values.form(raw)


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"a":1,"a":2}', b"\xff", b'{"a":', b"[" * 100000])
def test_an_answer_that_can_be_read_in_two_ways_is_not_read(raw: bytes) -> None:
    with pytest.raises(values.Unreadable):
        values.json_object(raw)


def test_numbers_keep_their_digits() -> None:
    assert values.json_object(b'{"money":1.10,"code":0,"big":20260101000000000001}') == {
        "money": "1.10",
        "code": "0",
        "big": "20260101000000000001",
    }


def test_the_signed_text_of_an_answer_is_cut_out_as_it_stands() -> None:
    inner = '{"qr_code":"https:\\/\\/qr.alipay.com\\/x", "n" : [1, {"sign":"no"}]}'
    found = raw_members(f' {{"sign" : "abc", "alipay_trade_precreate_response":{inner} }} ')
    assert found == {"sign": '"abc"', "alipay_trade_precreate_response": inner}
    assert raw_members("{}") == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"a":1,"a":2}',
        '{"a" 1}',
        '{"a":1',
        "{1:2}",
        '{"a":1 "b":2}',
        "{,}",
        '{"a":1,}',
        '{"a":1}x',
        '{"a":1]',
        "{",
    ],
)
def test_what_is_no_plain_object_has_no_members(text: str) -> None:
    with pytest.raises(values.Unreadable):
        raw_members(text)
