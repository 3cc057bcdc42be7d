"""Cards in the vault: what is sealed opens, and nothing else does."""

from __future__ import annotations

import os
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chadan.orders.vault import DataKey, Vault, VaultError

ONE = DataKey(1, 10, os.urandom(32), os.urandom(32))
TWO = DataKey(2, 20, os.urandom(32), os.urandom(32))
OTHER_OF_ONE = DataKey(3, 10, os.urandom(32), os.urandom(32))
CARD = uuid4()


def vault() -> Vault:
    return Vault(kek=bytes(32), keys=(OTHER_OF_ONE, ONE, TWO))


@given(st.text(), st.uuids())
def test_sealed_opens(text: str, card: UUID):
    sealed = vault().seal(10, card, text)
    assert vault().open(10, card, sealed.key_id, sealed.secret) == text


@given(st.text(min_size=1), st.data())
def test_any_changed_byte_is_noticed(text: str, data: st.DataObject):
    sealed = vault().seal(10, CARD, text)
    place = data.draw(st.integers(0, len(sealed.secret) - 1))
    changed = bytearray(sealed.secret)
    changed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(VaultError):
        vault().open(10, CARD, sealed.key_id, bytes(changed))


@pytest.mark.parametrize("secret", [b"", b"short", bytes(12), bytes(27)])
def test_a_stump_is_refused(secret: bytes):
    with pytest.raises(VaultError):
        vault().open(10, CARD, 1, secret)


def test_a_card_does_not_open_in_another_place():
    sealed = vault().seal(10, CARD, "ABCD-1234")
    for merchant, card, key in ((10, uuid4(), 1), (20, CARD, 2), (20, CARD, 1), (10, CARD, 3)):
        with pytest.raises(VaultError):
            vault().open(merchant, card, key, sealed.secret)


def test_blind_index_finds_within_one_merchant_only():
    sealed = vault().seal(10, CARD, "ABCD-1234")
    assert vault().blind(10, " ABCD-1234\n") == sealed.blind
    assert vault().blind(10, "ABCD-1235") != sealed.blind
    assert vault().blind(20, "ABCD-1234") != sealed.blind


def test_same_card_twice_looks_different():
    assert vault().seal(10, CARD, "ABCD-1234").secret != vault().seal(10, CARD, "ABCD-1234").secret


def test_the_hint_is_the_end_of_a_long_card():
    assert vault().seal(10, CARD, "AAAA-BBBB-CCCC").hint == "CCCC"
    assert vault().seal(10, CARD, "A1B2C3").hint == ""


def test_keys_are_not_printed():
    assert "data" not in repr(ONE)
