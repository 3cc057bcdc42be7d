"""When a gateway is asked about an unpaid attempt: never more than two minutes after the payer paid, and not too often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chadan.payments import looks

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROMISED = timedelta(minutes=2)
WORKER_DIES = timedelta(seconds=20)
"""platform.worker: STALLED and LOOK_EVERY."""
OPEN = st.integers(1, 24 * 3600).map(lambda seconds: timedelta(seconds=seconds))


def walked(span: timedelta, late: list[timedelta]) -> list[datetime]:
    """The looks as the jobs find them, each from the moment at which the one before really ran: `late` after its time."""
    found, now = [], START
    while (time := looks.next_look(START, START + span, now)) is not None:
        now = time + (late[len(found) % len(late)] if late else timedelta(0))
        found.append(now)
    return found


@given(OPEN, st.floats(0, 1), st.lists(st.integers(0, 20).map(lambda second: timedelta(seconds=second)), max_size=7))
def test_whoever_pays_while_the_attempt_is_open_is_found_within_two_minutes(
    span: timedelta, moment: float, late: list[timedelta]
) -> None:
    paid = START + span * moment
    asked = [*walked(span, late), START + span]  # the order's end asks once more: orders.lifecycle
    assert min(time for time in asked if time >= paid) - paid <= PROMISED


@given(OPEN)
def test_the_marks_and_the_look_before_the_end_are_kept(span: timedelta) -> None:
    times = set(looks.looks(START, START + span))
    assert {START + timedelta(seconds=mark) for mark in (30, 60, 120, 300, 900, 3600)} <= times
    assert span <= looks.BEFORE_EXPIRY or START + span - looks.BEFORE_EXPIRY in times


@given(OPEN)
def test_a_gateway_is_asked_no_more_often_than_documented(span: timedelta) -> None:
    most = len(looks.MARKS) + span // timedelta(seconds=looks.PACE) + 1
    assert len(looks.looks(START, START + span)) <= most
    assert len(looks.looks(START, START + timedelta(minutes=30))) == 25


def test_an_attempt_without_an_end_is_asked_about_at_the_marks() -> None:
    assert [time - START for time in looks.looks(START, None)] == [timedelta(seconds=mark) for mark in looks.MARKS]
    assert looks.next_look(START, None, START + timedelta(hours=1)) is None


@given(OPEN, st.floats(0, 1.2))
def test_two_looks_at_once_find_the_same_next_one(span: timedelta, moment: float) -> None:
    now = START + span * moment
    time = looks.next_look(START, START + span, now)
    if time is not None:
        assert time > now
        for later in (now + (time - now) * share for share in (0.0, 0.5, 0.99)):
            assert looks.next_look(START, START + span, later) == time
