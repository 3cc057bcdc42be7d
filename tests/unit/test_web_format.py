"""Money, order numbers, moments and masked contacts as pages show them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from chadan.orders import number
from chadan.web import format as formats
from chadan.web.icons import icon

FIRST = datetime(2001, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 88 * 365 * 86_400).map(lambda seconds: FIRST + timedelta(seconds=seconds))


@given(st.integers(-(10**15), 10**15))
def test_money_reads_back(fen: int) -> None:
    shown = formats.money(fen)
    assert re.fullmatch(r"−?¥\d{1,3}(,\d{3})*\.\d\d", shown)
    digits = int(re.sub(r"\D", "", shown))
    assert (-digits if shown.startswith("−") else digits) == fen


@pytest.mark.parametrize(
    ("fen", "currency", "shown"),
    [
        (123450, "CNY", "¥1,234.50"),
        (5, "CNY", "¥0.05"),
        (-9985, "CNY", "−¥99.85"),
        (100, "USDT", "USDT\u00a01.00"),
        (None, "CNY", "—"),
    ],
)
def test_money_examples(fen: int | None, currency: str, shown: str) -> None:
    assert formats.money(fen, currency) == shown


@given(MOMENTS, st.integers(0, 999), st.integers(0, 9999))
def test_a_grouped_order_number_copies_as_the_bare_number(at: datetime, home: int, random: int) -> None:
    made = number.make(at, home, random)
    shown = formats.order_no(made)
    assert Markup(shown).striptags() == number.text(made)
    assert shown == formats.order_no(number.text(made))


@given(st.text())
def test_text_that_is_no_order_number_is_escaped(text: str) -> None:
    shown = str(formats.order_no(text))
    assert "<" not in shown.replace("<span", "").replace("</span", "").replace("<i", "").replace("</i", "")


@given(st.text(min_size=1))
def test_a_mask_hides_the_middle_and_never_shows_all(contact: str) -> None:
    shown = formats.mask(contact)
    assert "****" in shown
    name, at, domain = contact.partition("@")
    hidden = name if at and domain else contact
    assert sum(character != "*" for character in shown) < len(contact) + (len(hidden) <= 1)


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("13800006955", "138****6955"),
        ("lin@qq.com", "li****@qq.com"),
        ("12345678", "12****78"),
        ("abc", "a****"),
        ("", "—"),
        (None, "—"),
    ],
)
def test_mask_examples(contact: str | None, shown: str) -> None:
    assert formats.mask(contact) == shown


@given(MOMENTS, st.timedeltas(timedelta(days=1), timedelta(days=4000)))
def test_an_old_moment_shows_its_date_and_the_year_only_when_it_is_another(now: datetime, age: timedelta) -> None:
    moment = now - age
    local = moment.astimezone(number.SHANGHAI)
    shown = str(formats.when(moment, now))
    assert f'datetime="{local.isoformat(timespec="seconds")}"' in shown
    assert f'title="{local:%Y-%m-%d %H:%M:%S}"' in shown
    text = Markup(shown).striptags()
    same_year = local.year == now.astimezone(number.SHANGHAI).year
    assert text == local.strftime("%m-%d %H:%M" if same_year else "%Y-%m-%d %H:%M")


def test_icons_are_hidden_inline_and_need_no_style() -> None:
    svg = icon("search", 20)
    assert svg.startswith("<svg")
    assert 'aria-hidden="true"' in svg
    assert 'width="20"' in svg
    assert "style" not in svg
