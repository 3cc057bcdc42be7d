"""Who works for a shop: an owner adds existing users, changes their roles, lets them go."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor
from chadan.accounts.models import Membership, Role, User
from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound


def members(actor: Actor) -> list[Membership]:
    """The staff of the actor's shop, by user name. Raises Forbidden for anybody but an owner."""
    return list(_of(actor).select_related("user").order_by("user__username"))


def add(actor: Actor, username: str, role: str) -> Membership:
    """Gives the existing user `username` a role. Raises Forbidden, InvalidInput, or Conflict when already on the staff."""
    shop = _of(actor)
    wanted = _role(role)
    user = User.objects.filter(username=username.strip(), is_active=True).first()
    if user is None:
        raise InvalidInput(
            _("There is no user with this name."), hint=_("They sign up first; then you add them."), field="username"
        )
    try:
        with transaction.atomic():
            return shop.create(user=user, merchant_id=_shop(actor), role=wanted)
    except IntegrityError as error:
        raise Conflict(_("This user already works for the shop."), field="username") from error


def change_role(actor: Actor, membership_id: int, role: str) -> None:
    """Gives a member another role. Raises NotFound, InvalidInput, or Conflict for the last owner."""
    wanted = _role(role)
    with transaction.atomic():
        member = _locked(actor, membership_id)
        if wanted != Role.OWNER:
            _keep_an_owner(actor, member)
        member.role = wanted
        member.save(update_fields=["role"])


def remove(actor: Actor, membership_id: int) -> None:
    """Ends a membership; its API keys stop with it. Raises NotFound, or Conflict for the last owner."""
    with transaction.atomic():
        member = _locked(actor, membership_id)
        _keep_an_owner(actor, member)
        member.delete()


def _of(actor: Actor) -> QuerySet[Membership]:
    return Membership.objects.filter(merchant_id=_shop(actor))


def _shop(actor: Actor) -> int:
    if actor.merchant_id is None or actor.role != Role.OWNER:
        raise Forbidden(_("Only an owner manages the staff."), hint=_("Ask an owner of the shop."))
    return actor.merchant_id


def _role(role: str) -> Role:
    if role not in Role.values:
        raise InvalidInput(_("Choose a role."), field="role")
    return Role(role)


def _locked(actor: Actor, membership_id: int) -> Membership:
    # All owners are locked too, in one order: two owners cannot remove each other at the same moment.
    rows = list(_of(actor).select_for_update().order_by("pk"))
    found = next((row for row in rows if row.pk == membership_id), None)
    if found is None:
        raise NotFound(_("There is no such member of staff."))
    return found


def _keep_an_owner(actor: Actor, member: Membership) -> None:
    others = _of(actor).filter(role=Role.OWNER, user__is_active=True).exclude(pk=member.pk)
    if member.role == Role.OWNER and not others.exists():
        raise Conflict(_("The shop needs an owner."), hint=_("Make somebody else an owner first."))
