"""Which slots a model may give to words, and what may stand in them. Dates and numbers are worked out here, never there."""

from __future__ import annotations

from chadan.nlq.lexicon import Lexicon
from chadan.orders.states import Category, OrderStatus, PaymentMethod

VALUES: dict[str, tuple[str, ...]] = {
    "status": tuple(OrderStatus),
    "category": tuple(Category),
    "payment_method": tuple(PaymentMethod),
    "intent": ("count", "sum", "avg"),
}
"""Slots with a closed list of values."""
NAMED = frozenset({"product", "variant", "platform"})
"""Slots whose value is a name of the lexicon."""
WORDED = frozenset({"buyer", "merchant", "agent", "supplier", "tag", "account", "order_no", "external_no"})
"""Slots whose value is the words themselves."""
PARSED = frozenset({"time", "amount", "face_value", "quantity"})
"""Slots whose words our own parser reads."""
SLOTS = frozenset(VALUES) | NAMED | WORDED | PARSED
IDS = frozenset({"account", "order_no", "external_no"})
EXCLUDABLE = (
    frozenset({"status", "category", "payment_method"}) | NAMED | (WORDED - {"order_no", "external_no", "account"})
)


def vocabulary(lexicon: Lexicon, slot: str) -> tuple[str, ...]:
    """The names of a slot that the lexicon knows."""
    return tuple(sorted({term.value for term in lexicon.terms.values() if term.slot == slot}))
