"""Order numbers: they carry time and home, sort by time, and betray a mistyped digit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chadan.orders import number

MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2090, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
NUMBERS = st.builds(number.make, MOMENTS, st.integers(0, 999), st.integers(0, 9999))


@given(MOMENTS, st.integers(0, 999), st.integers(0, 9999))
def test_a_number_gives_back_its_second_and_home(moment: datetime, home: int, random: int) -> None:
    made = number.make(moment, home, random)
    assert number.is_valid(made)
    assert number.split(made) == number.OrderNumber(moment.replace(microsecond=0), home, random)
    assert len(number.text(made)) == 19
    low, high = number.month_bounds(made)
    assert low <= made < high


@given(NUMBERS, st.integers(0, 18), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(made: int, place: int, by: int) -> None:
    digits = list(number.text(made))
    digits[place] = str((int(digits[place]) + by) % 10)
    assert not number.is_valid(int("".join(digits)))


@given(NUMBERS, st.integers(0, 17))
def test_two_swapped_neighbours_are_noticed(made: int, place: int) -> None:
    digits = list(number.text(made))
    if digits[place] != digits[place + 1]:
        digits[place], digits[place + 1] = digits[place + 1], digits[place]
        assert not number.is_valid(int("".join(digits)))


@given(MOMENTS, MOMENTS, st.integers(0, 999))
def test_number_order_is_time_order(one: datetime, other: datetime, home: int) -> None:
    one, other = one.replace(microsecond=0), other.replace(microsecond=0)
    if one < other:
        assert number.make(one, home, 9999) < number.make(other, home, 0)
        assert number.make(one, home, 9999) < number.floor(other) <= number.make(other, 0, 0)


@given(NUMBERS)
def test_a_pasted_number_is_found_among_words_and_spaces(made: int) -> None:
    digits = number.text(made)
    for typed in (
        digits,
        f"订单号：{digits}，谢谢",
        f"{digits[:6]} {digits[6:11]} {digits[11:14]} {digits[14:]}",
        "-".join(digits),
    ):
        assert number.find(typed) == made
    assert number.find(digits + "1") is None


def test_the_day_turns_at_midnight_in_shanghai() -> None:
    midnight = datetime(2026, 1, 31, 16, tzinfo=UTC)
    assert number.text(number.make(midnight, 7, 0)).startswith("260201000000070000")
    assert number.text(number.make(midnight - timedelta(seconds=1), 7, 0)).startswith("26013186399007")


@pytest.mark.parametrize("typed", [0, -5, 10**19, 9913999999999999999])
def test_what_no_clock_shows_is_invalid(typed: int) -> None:
    assert not number.is_valid(typed)


@pytest.mark.parametrize(("year", "home"), [(1999, 1), (2092, 1), (2026, 1000), (2026, -1)])
def test_a_number_that_cannot_be_is_refused(year: int, home: int) -> None:
    with pytest.raises(ValueError, match=r"order number|outside"):
        number.make(datetime(year, 6, 1, tzinfo=UTC), home)


@pytest.mark.parametrize("text", ["9" * 5000, "9" * 19, "１" * 19, "12", "-1", "", " 2511221234500112345", "1.5"])
def test_what_is_no_number_of_19_digits_is_none(text: str) -> None:
    assert number.digits(text) is None
    assert number.parse(text) is None


def test_examples_shown_to_people_are_numbers() -> None:
    import re
    from pathlib import Path

    rooms = Path(number.__file__).parents[1]
    places = [rooms / "web/templates/orders/list.html", rooms / "api/openapi.py", rooms / "search/grammar.py"]
    examples = [text for place in places for text in re.findall(r"\b2[0-9]{18}\b", place.read_text(encoding="utf-8"))]
    assert len(examples) >= len(places)
    assert [text for text in examples if number.parse(text) is None] == []


def test_a_number_is_parsed_and_a_typo_is_not() -> None:
    order_no = number.make(datetime(2026, 11, 24, 12, tzinfo=number.SHANGHAI), 7)
    typo = order_no // 10 * 10 + (order_no + 1) % 10
    assert number.parse(number.text(order_no)) == number.digits(number.text(order_no)) == order_no
    assert (number.parse(number.text(typo)), number.digits(number.text(typo))) == (None, typo)


def test_what_a_bigint_does_not_hold_is_no_order_number() -> None:
    body = 931124 * 10**12 + 7 * 10**4  # a day of 2093, home 7
    assert not number.is_valid(body * 10 + number.check_digit(body))
