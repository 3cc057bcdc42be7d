"""Price levels of buyers: whose a merchant gave, and giving one."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor
from chadan.accounts.models import Buyer
from chadan.catalog.models import BuyerLevel
from chadan.catalog.products import LEVELS, shop_of
from chadan.exports.models import AuditEvent
from chadan.orders import number
from chadan.orders.events import actor_json
from chadan.orders.guest import checkout_of
from chadan.platform.errors import InvalidInput

MOST = 500


@dataclass(frozen=True, slots=True)
class Levelled:
    """A buyer with a price level at the shop."""

    login: str
    name: str
    level: int


def levelled(actor: Actor) -> list[Levelled]:
    """The buyers the shop gave a level, the highest first. Raises Forbidden."""
    rows = BuyerLevel.objects.filter(merchant_id=shop_of(actor)).order_by("-level", "pk")[:MOST]
    buyers = Buyer.objects.in_bulk([row.buyer_id for row in rows])
    found = [(buyers[row.buyer_id], row.level) for row in rows if row.buyer_id in buyers]
    return [Levelled(buyer.login, buyer.name, level) for buyer, level in found]


def buyer_of(actor: Actor, who: str) -> Buyer:
    """The account a login, or the number of one of the shop's orders, means. Raises Forbidden, InvalidInput."""
    shop = shop_of(actor)
    order_no = number.find(who)
    buyer = None
    if order_no is not None:
        checkout = checkout_of(order_no) if number.is_valid(order_no) else None
        if checkout is not None and checkout.merchant_id == shop:
            buyer = Buyer.objects.filter(pk=checkout.buyer_id).first()
    else:
        buyer = Buyer.objects.filter(realm="", login_key=who.strip().casefold()).first()
    if buyer is None:
        hint = _("Enter a buyer's login, or the number of one of your orders.")
        raise InvalidInput(_("Nobody is known by this name."), hint=hint, field="who")
    if buyer.user_id is None:
        raise InvalidInput(_("A guest has no price level: only buyers with an account do."), field="who")
    return buyer


def give(actor: Actor, who: str, level: int) -> Buyer:
    """Gives a buyer a level, or with 0 takes it away; on record in the audit log. Raises Forbidden, InvalidInput."""
    buyer = buyer_of(actor, who)
    if level not in (0, *LEVELS):
        raise InvalidInput(_("Choose a level."), field="level")
    merchant_id, home = shop_of(actor), actor.home
    with transaction.atomic():
        if level:
            wanted = {"level": level, "home": home}
            BuyerLevel.objects.update_or_create(merchant_id=merchant_id, buyer_id=buyer.pk, defaults=wanted)
        else:
            BuyerLevel.objects.filter(merchant_id=merchant_id, buyer_id=buyer.pk).delete()
        AuditEvent.objects.create(
            type="buyer.level",
            user_id=actor.user_id,
            actor=actor_json(actor),
            merchant_id=merchant_id,
            subject=f"buyer:{buyer.pk}",
            details={"level": level},
        )
    return buyer
