"""Purchases that wait for a person's word: the supplier's own pages say what its interface cannot."""

from __future__ import annotations

from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.catalog.models import Supplier
from chadan.delivery import connections, procurement, supplier_rows
from chadan.delivery.supplier_rows import Parked, Row
from chadan.delivery.suppliers.base import SupplyState
from chadan.orders import events
from chadan.orders.states import DeliveryStatus
from chadan.orders.transitions import Locked, lock
from chadan.platform.errors import Conflict, InvalidInput, NotFound
from chadan.platform.scope import Session, scoped

_LONGEST = 100


def waiting(actor: Actor) -> list[Parked]:
    """The acting shop's purchases that wait, oldest first. Raises Forbidden."""
    actor.require(Permission.MANAGE)
    with scoped(actor.scope) as session:
        return supplier_rows.parked(session)


def bought(actor: Actor, order_no: int, seq: int, supplier_no: str) -> None:
    """Somebody found the purchase at the supplier: it is asked by that number, and its goods are believed.

    Raises Forbidden, NotFound, Conflict (decided already; not delivered yet), InvalidInput, SupplierUnreachable, SupplierRefused.
    """
    actor.require(Permission.MANAGE)
    supplier_no = supplier_no.replace("\x00", "").strip()
    if not 0 < len(supplier_no) <= _LONGEST:
        raise InvalidInput(_("Enter the supplier's order number."), field="supplier_no")
    with scoped(actor.scope) as session:
        _order, row = _parked(session, actor, order_no, seq)
    told = connections.api_of(Supplier.objects.get(pk=row.supplier_id or 0)).look(supplier_no)
    if told.request_no and told.request_no != row.request_no:
        raise InvalidInput(_("The supplier says this number is of another order."), field="supplier_no")
    with scoped(actor.scope) as session:
        _order, row = _parked(session, actor, order_no, seq)
        if told.state is SupplyState.PROCESSING:
            supplier_rows.keep(session, row, DeliveryStatus.SENDING, supplier_no=supplier_no)
            procurement.follow_later(row)
            return
        procurement.heed(session, row, told, events.actor_json(actor), trusted=True)


def not_bought(actor: Actor, order_no: int, seq: int) -> None:
    """Somebody looked, and nothing was bought: the next supplier is asked, or the order fails.

    Raises Forbidden, NotFound, Conflict (decided already).
    """
    actor.require(Permission.MANAGE)
    with scoped(actor.scope) as session:
        order, row = _parked(session, actor, order_no, seq)
        procurement.give_up(session, order, row, row.reason, events.actor_json(actor))


def _parked(session: Session, actor: Actor, order_no: int, seq: int) -> tuple[Locked, Row]:
    order = lock(session, order_no)
    row = supplier_rows.one(session, order_no, seq)
    if row is None or order.merchant_id != actor.merchant_id:
        raise NotFound(_("There is no such order."))
    if row.status is not DeliveryStatus.WAITING:
        raise Conflict(_("This purchase is decided already."), hint=_("Reload the page."))
    return order, row
