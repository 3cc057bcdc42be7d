"""What an agent's owners read when a shop above gives money of a purchase back."""

from __future__ import annotations

import logging

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from chadan.accounts.models import Merchant, Role, User
from chadan.delivery.supply_orders import yuan
from chadan.notify.channels import CHANNELS, Message
from chadan.orders import number
from chadan.orders.transitions import lock
from chadan.platform.scope import OPERATOR, scoped

log = logging.getLogger(__name__)


def send(order_no: int, purchase_no: int) -> None:
    """Tells the owners of the shop that sold `order_no`; without a mail server the order's timeline has to do.

    Raises NotSent, for the job to try again.
    """
    with scoped(OPERATOR) as session:
        sale, purchase = lock(session, order_no), lock(session, purchase_no)
    owners = User.objects.filter(
        memberships__merchant_id=sale.merchant_id, memberships__role=Role.OWNER, is_active=True
    ).exclude(email="")
    addresses = sorted(owners.values_list("email", flat=True))
    if not addresses or not CHANNELS["email"].ready():
        log.info("return not mailed", extra={"order_no": number.text(order_no), "owners": len(addresses)})
        return
    with override(settings.LANGUAGE_CODE):
        values = {
            "shop": Merchant.objects.values_list("name", flat=True).get(pk=purchase.merchant_id),
            "purchase": number.text(purchase_no),
            "sale": number.text(order_no),
            "back": yuan(purchase.refunded),
            "kept": yuan(purchase.paid - purchase.refunded),
        }
        message = Message(
            _("%(shop)s gave ¥%(back)s back") % values,
            _(
                "Of purchase %(purchase)s, ¥%(back)s went back into your wallet at %(shop)s; it keeps ¥%(kept)s.\n"
                "Your sale %(sale)s costs that much less. Look at it, and decide whether your buyer gets money back too.\n"
            )
            % values,
        )
    for address in addresses:
        CHANNELS["email"].send(address, message)
