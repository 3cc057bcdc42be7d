"""Deliveries that were given up: the order keeps its state, its delivery row says why, and staff sees it."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from chadan.delivery import rows
from chadan.orders import events
from chadan.orders.states import DeliveryStatus, OrderStatus
from chadan.orders.transitions import lock
from chadan.platform.errors import ChadanError
from chadan.platform.scope import scoped

DIED = gettext_noop("The worker stopped every time it tried; tell the operator.")
INTERNAL = gettext_noop("An internal error stopped the delivery; tell the operator.")


def record(order_no: int, reason: str) -> None:
    """Closes the order's delivery as failed with the reason and a `delivery.stuck` event; its state stays, for a retry."""
    from chadan.delivery.dispatch import MACHINE, merchant_scope

    with scoped(merchant_scope(order_no)) as session:
        order = lock(session, order_no)
        if order.status not in (OrderStatus.PAID, OrderStatus.PROCESSING):
            return
        kind = rows.kind_of(session, order_no)
        rows.close(session, order_no, DeliveryStatus.FAILED, kind=kind, reason=reason)
        events.append(session, order_no, "delivery.stuck", MACHINE, {"reason": reason})


def sentence(error: Exception) -> str:
    """What staff reads: our own errors say it themselves, others are the operator's business (and in the log)."""
    return str(error) if isinstance(error, ChadanError) else INTERNAL
