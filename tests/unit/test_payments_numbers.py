"""The numbers gateways hear."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chadan.orders import number
from chadan.payments.records import out_no_of

ORDERS = st.builds(
    number.make,
    st.integers(1_577_836_800, 3_786_912_000).map(lambda second: datetime.fromtimestamp(second, UTC)),
    st.integers(0, 999),
    st.integers(0, 9999),
)
SEQS = st.integers(1, 32767)


@given(ORDERS, SEQS)
def test_a_payments_number_fits_every_gateway_and_begins_with_its_order(order_no: int, seq: int) -> None:
    out_no = out_no_of(order_no, seq)
    assert len(out_no) <= 32 and out_no.isdecimal()
    assert int(out_no[: number.LENGTH]) == order_no and int(out_no[number.LENGTH :]) == seq


@given(st.tuples(ORDERS, SEQS), st.tuples(ORDERS, SEQS))
def test_two_payments_never_share_a_number(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert (out_no_of(*one) == out_no_of(*other)) == (one == other)
