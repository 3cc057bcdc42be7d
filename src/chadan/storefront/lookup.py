"""Finding an order again without an account: by its number or by the contact, always with the lookup code.

Every miss says the same and costs the same, whether the order is missing, has another code, or has none at all.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from chadan.accounts.models import Buyer
from chadan.orders import number
from chadan.orders.guest import checkout_of, codes_of_buyer
from chadan.platform.errors import InvalidInput, NotFound
from chadan.storefront import codes, limits
from chadan.storefront.offers import GUEST, contact_of

NEWEST = 4
"""How many of a contact's orders a code is tried on: each costs a hash, found or not."""


class Missed(NotFound):
    """No order answers to what was typed: the one sentence for every reason."""

    code = "lookup_missed"


def look_up(typed: str, code: str, address: str) -> list[int]:
    """The numbers of the orders that `typed` (a number or a contact) and `code` open, newest first.

    Raises InvalidInput for text that is neither, or a mistyped number (its check digit tells); Missed; TooManyTries.
    """
    order_no = number.find(typed)
    if order_no is not None and not number.is_valid(order_no):
        raise InvalidInput(_("One of the number's digits is mistyped."), field="order")
    contact = "" if order_no is not None else _contact(typed)
    if not codes.normal(code):
        raise InvalidInput(_("Enter the lookup code."), field="code")
    subject = number.text(order_no) if order_no is not None else contact
    limits.spend(limits.LOOKUPS, address)
    limits.spend(limits.LOOKUPS_OF_ONE, subject)
    limits.spend(limits.LOOKUPS_OF_ONE_A_DAY, subject)
    found = _by_number(order_no, code) if order_no is not None else _by_contact(contact, code)
    if not found:
        raise Missed(
            _("No order answers to this number or contact with this code."),
            hint=_("Check both. For an order placed elsewhere, or when the code is lost, contact the shop."),
        )
    return found


def _by_number(order_no: int, code: str) -> list[int]:
    checkout = checkout_of(order_no)
    return [order_no] if codes.matches(code, checkout.lookup_hash if checkout else "") else []


def _by_contact(contact: str, code: str) -> list[int]:
    buyer = Buyer.objects.filter(realm=GUEST, login_key=contact).values_list("pk", flat=True).first()
    held = codes_of_buyer(buyer or 0, NEWEST)
    padded = [*held, *[(0, "")] * (NEWEST - len(held))]
    return [order_no for order_no, stored in padded if codes.matches(code, stored)]


def _contact(typed: str) -> str:
    try:
        return contact_of(typed)
    except InvalidInput:
        raise InvalidInput(
            _("Enter the 19-digit order number, or the mobile number or e-mail you ordered with."), field="order"
        ) from None
