"""Outside facts, each of one order: `external_refs`, whose primary key decides among any who claim one at once.

Statements run in the scope of the order's merchant.
"""

from __future__ import annotations

from chadan.orders import number
from chadan.orders.states import RefKind
from chadan.platform.scope import Session

_CLAIM = """
insert into external_refs (home, kind, scope_id, ref, order_no) values (%s, %s, %s, %s, %s) on conflict do nothing
"""
_FIND = "select order_no from external_refs where home = %s and kind = %s and scope_id = %s and ref = %s"


def claim(session: Session, kind: RefKind, scope_id: int, ref: str, order_no: int) -> bool:
    """Takes an outside number for an order; False when it is taken, be it by the same order."""
    return session.run(_CLAIM, (number.split(order_no).home, kind.code, scope_id, ref, order_no)) == 1


def holder(session: Session, home: int, kind: RefKind, scope_id: int, ref: str) -> int | None:
    """The order an outside number belongs to, of those in the session's scope."""
    rows = session.rows(_FIND, (home, kind.code, scope_id, ref))
    return int(rows[0][0]) if rows else None


def belongs(session: Session, kind: RefKind, scope_id: int, ref: str, order_no: int) -> bool:
    """Whether the outside number is this order's: claimed now, or before."""
    home = number.split(order_no).home
    return claim(session, kind, scope_id, ref, order_no) or holder(session, home, kind, scope_id, ref) == order_no
