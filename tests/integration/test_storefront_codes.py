"""Lookup codes: easy to read aloud, the same for both clicks of a double click, useless to somebody who reads the table."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", autouse=True)
def ready(database: Any) -> None:
    """Codes follow from the site's secret key."""


@settings(deadline=None)
@given(st.text(max_size=40))
def test_a_made_code_has_eight_unambiguous_characters_and_follows_from_its_token(token: str) -> None:
    from chadan.storefront.codes import ALPHABET, made_code

    code = made_code(token)
    assert len(code) == 8 and set(code) <= set(ALPHABET)
    assert code == made_code(token) != made_code(token + "x")
    assert not set("01OIL") & set(ALPHABET)


@settings(max_examples=8, deadline=None)
@given(st.from_regex(r"\A[A-Za-z0-9]{4,32}\Z"))
def test_a_code_opens_however_it_is_typed_and_no_other_does(code: str) -> None:
    from chadan.storefront.codes import hash_code, matches

    stored = hash_code(code)
    assert stored.startswith("argon2$") and code not in stored and stored != hash_code(code)
    assert matches(f" {code[:2].swapcase()}-{code[2:].upper()} ", stored)
    assert not matches(f"{code}x", stored)


def test_an_order_without_a_code_opens_to_nothing() -> None:
    from chadan.storefront.codes import matches

    assert not matches("", "")
    assert not matches("nobody's code", "")
