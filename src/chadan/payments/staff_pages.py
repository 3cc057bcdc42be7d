"""What the shop's payment pages share: order numbers in addresses."""

from __future__ import annotations

from django.utils.translation import gettext as _

from chadan.orders import number
from chadan.platform.errors import NotFound


def parse(order_no: str) -> int:
    """An order number in an address. Raises NotFound."""
    parsed = number.parse(order_no)
    if parsed is None:
        raise NotFound(_("There is no such order."))
    return parsed
