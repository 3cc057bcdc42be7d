"""The table of states: DESIGN §3, and what follows from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chadan.orders import number
from chadan.orders.states import OrderStatus
from chadan.orders.transitions import ALLOWED, Locked, may_move

S = OrderStatus
ENDS = {S.REFUNDED}


def order(status: OrderStatus, before: OrderStatus | None = None) -> Locked:
    return Locked(1, 0, status, before, 100, 100, 0, 1, 1, None, None, number.now())


def test_the_table_names_every_state() -> None:
    assert set(ALLOWED) == set(S)
    assert all(status not in targets for status, targets in ALLOWED.items())


def test_every_state_is_reached_and_only_refunded_is_final() -> None:
    reached, frontier = {S.PENDING_PAYMENT}, [S.PENDING_PAYMENT]
    while frontier:
        for target in ALLOWED[frontier.pop()] - reached:
            reached.add(target)
            frontier.append(target)
    assert reached == set(S)
    assert {status for status in S if not ALLOWED[status]} == ENDS


@pytest.mark.parametrize("before", sorted(set(S) - {S.AFTER_SALE}))
def test_a_closed_case_returns_to_the_state_before_or_ends_refunded(before: OrderStatus) -> None:
    assert {to for to in S if may_move(order(S.AFTER_SALE, before), to)} == {before, S.REFUNDED}


@given(st.lists(st.sampled_from(S), max_size=30))
def test_a_walk_over_the_table_never_gets_money_out_twice(wishes: list[OrderStatus]) -> None:
    """Whatever is asked for in whatever order: unpaid is never delivered, refunded never left, a case always closable."""
    here = order(S.PENDING_PAYMENT)
    paid = False
    for to in wishes:
        if not may_move(here, to):
            continue
        here = order(to, here.status if to is S.AFTER_SALE else None)
        paid = paid or to is S.PAID
        assert paid or to is S.CANCELLED
        if to is S.AFTER_SALE:
            assert here.status_before is not None
            assert may_move(here, here.status_before)
    assert here.status is not S.REFUNDED or not any(may_move(here, to) for to in S)
