"""Which of many orders of one shop can be delivered again or marked delivered, and why the others can not."""

from __future__ import annotations

from collections.abc import Sequence

from chadan.platform.scope import Session
from chadan.search.compiler_aggregate import MONEY

_WHY = (
    "case o.status when 0 then 'unpaid' when 5 then 'cancelled' when 6 then 'after_sale' when 7 then 'refunded' {}end"
)
_RETRY = _WHY.format("when 1 then '' when 2 then '' when 8 then '' else 'delivered' ")
_DELIVER = _WHY.format(
    "when 8 then 'failed' when 3 then 'delivered' when 4 then 'delivered' else"
    " case when v.delivery_kind = 0 and o.quantity > (select count(*) from order_cards c"
    " where c.order_no = o.order_no and c.home = o.home) then 'needs_cards' else '' end "
)
_STANDING = f"""
select o.order_no, {MONEY}, {{why}}
from orders o join product_versions v on v.id = o.version_id
where o.order_no = any(%s::bigint[]) and o.home = %s and o.merchant_id = %s
"""
_AGAIN = _STANDING.format(why=_RETRY)
_BY_HAND = _STANDING.format(why=_DELIVER)

Standing = dict[int, tuple[int, str]]
"""By order: fen, and the code of why not, "" where it can."""


def retryable(session: Session, numbers: Sequence[int], home: int, merchant_id: int) -> Standing:
    """Those of the numbers that are the shop's, as `manual.retry` would take them."""
    return {number: (money, why) for number, money, why in session.rows(_AGAIN, (list(numbers), home, merchant_id))}


def deliverable(session: Session, numbers: Sequence[int], home: int, merchant_id: int) -> Standing:
    """Those of the numbers that are the shop's, as `manual.by_hand` would take them without any card typed in."""
    return {number: (money, why) for number, money, why in session.rows(_BY_HAND, (list(numbers), home, merchant_id))}
