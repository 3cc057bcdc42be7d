"""What buyers fill in: tidied the same way however it was typed, refused with one sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chadan.catalog import fields
from chadan.catalog.carriers import Carrier, carrier_of, is_virtual
from chadan.catalog.fields import ACCOUNTS, Field, Kind, account_of, clean_all, clean_email, clean_phone, read
from chadan.platform.errors import InvalidInput

PHONES = st.from_regex(r"\A1[3-9][0-9]{9}\Z")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@pytest.fixture(scope="module", autouse=True)
def plain_texts() -> Iterator[None]:
    """Sentences as they are written, without Django's settings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "_", str)
        names = {Carrier.MOBILE: "China Mobile", Carrier.UNICOM: "China Unicom"}
        patch.setattr(fields, "CARRIER_NAMES", names)
        patch.setattr(fields, "KIND_NAMES", dict.fromkeys(Kind, "kind"))
        yield


def field(kind: Kind, **more: object) -> Field:
    return Field("it", kind, "it", **more)  # type: ignore[arg-type]


@settings(deadline=None)
@given(PHONES, st.sampled_from(["", "+86", "86", "0086", "+86 ", "＋８６ "]), st.sampled_from(["", " ", "-", "\u3000"]))
def test_a_phone_number_is_the_same_however_it_is_written(number: str, country: str, gap: str) -> None:
    written = country + gap.join((number[:3], number[3:7], number[7:]))
    assert clean_phone(written) == number
    assert clean_phone(written.translate(FULL_WIDTH)) == number


@pytest.mark.parametrize("typed", ["1381234567", "138123456789", "12812345678", "86138", "phone", "+1 212 555 0100"])
def test_what_is_no_mobile_number_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput, match="11-digit"):
        clean_phone(typed)


@settings(deadline=None)
@given(st.sampled_from(list(Kind)), st.text(max_size=60))
def test_a_value_once_accepted_is_accepted_unchanged(kind: Kind, typed: str) -> None:
    try:
        value = field(kind).clean(typed)
    except InvalidInput:
        return
    assert field(kind).clean(value) == value
    assert value.isprintable()


@settings(deadline=None)
@given(st.sampled_from(list(Kind)), st.text(alphabet=" \t\u3000\u200b\n", max_size=9))
def test_blank_is_refused_only_where_it_must_be_filled(kind: Kind, blank: str) -> None:
    assert field(kind, required=False).clean(blank) == ""
    with pytest.raises(InvalidInput) as refused:
        field(kind).clean(blank)
    assert refused.value.field == "it"


@pytest.mark.parametrize(
    ("number", "carrier", "virtual"),
    [
        ("13800138000", Carrier.MOBILE, False),
        ("19700001111", Carrier.MOBILE, False),
        ("13000001111", Carrier.UNICOM, False),
        ("16600001111", Carrier.UNICOM, False),
        ("18900001111", Carrier.TELECOM, False),
        ("13490001111", Carrier.TELECOM, False),
        ("13480001111", Carrier.MOBILE, False),
        ("19200001111", Carrier.BROADNET, False),
        ("17000001111", Carrier.TELECOM, True),
        ("17050001111", Carrier.MOBILE, True),
        ("17090001111", Carrier.UNICOM, True),
        ("16200001111", Carrier.TELECOM, True),
        ("16500001111", Carrier.MOBILE, True),
        ("17100001111", Carrier.UNICOM, True),
        ("15400001111", None, False),
    ],
)
def test_the_prefix_names_the_carrier(number: str, carrier: Carrier | None, virtual: bool) -> None:
    assert carrier_of(number) is carrier
    assert is_virtual(number) is virtual


def test_a_number_of_another_carrier_is_refused_unless_it_was_moved() -> None:
    asked = field(Kind.PHONE, carriers=(Carrier.MOBILE,))
    assert asked.clean("13800138000") == "13800138000"
    with pytest.raises(InvalidInput, match="China Unicom; the product is for China Mobile"):
        asked.clean("13000138000")
    assert asked.clean("13000138000", ported=True) == "13000138000"
    assert field(Kind.PHONE).clean("13000138000") == "13000138000"


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (Kind.QQ, " １００ 8612 ", "1008612"),
        (Kind.EMAIL, "Li Lei@Example.COM", "LiLei@example.com"),
        (Kind.EMAIL, "ｌｉ＠qq.com", "li@qq.com"),
        (Kind.GAME_ID, "  Chen\u200b  Mo#1234 ", "Chen Mo#1234"),
        (Kind.TEXT, "天空岛\n２服", "天空岛 2服"),
    ],
)
def test_values_are_tidied(kind: Kind, typed: str, value: str) -> None:
    assert field(kind).clean(typed) == value


@pytest.mark.parametrize(
    ("kind", "typed"),
    [(Kind.QQ, "0123456"), (Kind.QQ, "1234"), (Kind.EMAIL, "li@"), (Kind.GAME_ID, "x" * 41), (Kind.TEXT, "字" * 201)],
)
def test_what_does_not_fit_is_refused(kind: Kind, typed: str) -> None:
    with pytest.raises(InvalidInput):
        field(kind).clean(typed)


def test_a_long_address_is_refused() -> None:
    with pytest.raises(InvalidInput):
        clean_email("a" * 60 + "@" + "b" * 60 + ".com")


def test_everything_wrong_is_said_at_once_and_the_first_account_is_the_orders() -> None:
    asked = [Field("server", Kind.TEXT, "server"), Field("uid", Kind.GAME_ID, "uid"), Field("qq", Kind.QQ, "qq")]
    values, errors = clean_all(asked, {"uid": " 100 200 ", "qq": "x"})
    assert values == {"uid": "100 200"}
    assert errors.keys() == {"server", "qq"}
    assert account_of(asked, {"server": "sky", "uid": "100200", "qq": "10001"}) == "100200"
    assert account_of(asked, {"server": "sky"}) == ""
    assert Kind.TEXT not in ACCOUNTS


def test_a_field_is_stored_and_read_back_whole() -> None:
    asked = field(Kind.PHONE, help="hint", required=False, carriers=(Carrier.MOBILE, Carrier.BROADNET))
    assert read([asked.as_json()]) == [asked]
    with pytest.raises(ValueError):
        read([{"name": "x", "kind": "passport"}])
