"""What many orders of one shop can still give back, and why some can not."""

from __future__ import annotations

from collections.abc import Sequence

from chadan.platform.scope import Session

# As refunds.request judges one order: what is paid, neither gone back nor queued, and of that what came through payments of ours.
_STANDING = """
select o.order_no, o.paid, o.paid - o.refunded, queued.amount, ours.amount - given.amount
from orders o
cross join lateral (select coalesce(sum(r.amount), 0)::bigint as amount from order_refunds r
                    where r.order_no = o.order_no and r.home = o.home and r.status <> 2) queued
cross join lateral (select coalesce(sum(p.amount), 0)::bigint as amount, array_agg(p.seq) as seqs from order_payments p
                    where p.order_no = o.order_no and p.home = o.home and p.status in (1, 3)
                      and starts_with(p.out_no, lpad(o.order_no::text, 19, '0'))) ours
cross join lateral (select coalesce(sum(r.amount), 0)::bigint as amount from order_refunds r
                    where r.order_no = o.order_no and r.home = o.home and r.payment_seq = any(ours.seqs)) given
where o.order_no = any(%s::bigint[]) and o.home = %s and o.merchant_id = %s
"""


def refundable(session: Session, numbers: Sequence[int], home: int, merchant_id: int) -> dict[int, tuple[int, str]]:
    """By order of the shop's: (fen that go back, ""), or (fen it holds, the code of why nothing does)."""
    found: dict[int, tuple[int, str]] = {}
    for order_no, paid, held, queued, rest in session.rows(_STANDING, (list(numbers), home, merchant_id)):
        if not paid:
            found[order_no] = held, "unpaid"
        elif held - queued <= 0:
            found[order_no] = held, "refunding" if queued and held > 0 else "refunded"
        elif rest <= 0:
            found[order_no] = held, "paid_elsewhere"
        else:
            found[order_no] = min(held - queued, rest), ""
    return found
