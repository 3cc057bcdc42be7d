"""Home, switching between capacities, the profile, and the staff of a shop."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from chadan.accounts import staff
from chadan.accounts.actors import Actor
from chadan.accounts.menu import account_menu
from chadan.accounts.middleware import SESSION_KEY
from chadan.accounts.models import Merchant, Role, User
from chadan.platform.errors import ChadanError, Forbidden, NotFound
from chadan.web.posting import form_of

_YEAR = 365 * 86_400
_SHOPS = 6
"""How many shops the welcome page names."""


def home_of(actor: Actor | None) -> str:
    """Where a capacity starts its day."""
    if actor is None:
        return "/account"
    return {"buyer": "/orders", "merchant": "/m/orders?view=sales", "operator": "/ops/orders"}[actor.kind]


def home(request: HttpRequest) -> HttpResponse:
    """The role's own start page; a short welcome for somebody signed out."""
    if request.user.is_authenticated:
        return redirect(home_of(acting(request)))
    context = {"title": _("Every order, found in one step"), "shops": open_shops()}
    return render(request, "account/landing.html", context)


def open_shops() -> list[Merchant]:
    """The first shops that sell something."""
    selling = Merchant.objects.filter(products__active=True, products__version__isnull=False)
    return list(selling.distinct().order_by("pk")[:_SHOPS])


def acting(request: HttpRequest) -> Actor | None:
    """The capacity the visitor acts in, None for somebody who holds none."""
    return getattr(request, "actor", None) or None


@form_of(lambda: "/")
@login_required
def switch(request: HttpRequest) -> HttpResponse:
    """Acts in the capacity named by `capacity` from now on. Raises NotFound for one the user does not hold."""
    key = request.POST.get("capacity", "")
    held: list[Actor] = request.capacities  # type: ignore[attr-defined]  # accounts.middleware
    chosen = next((actor for actor in held if actor.key == key), None)
    if chosen is None:
        raise NotFound(_("You do not hold this role."))
    request.session[SESSION_KEY] = chosen.key
    return redirect(home_of(chosen))


class ProfileForm(forms.Form):
    """What a person says about themselves."""

    display_name = forms.CharField(label=gettext_lazy("Name shown to others"), max_length=150, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Shows and changes one's name and language."""
    user = cast("User", request.user)
    given = {"display_name": user.display_name, "language": get_language()}
    form = ProfileForm(request.POST or None, initial=given)
    if request.method == "POST" and form.is_valid():
        user.display_name = form.cleaned_data["display_name"].strip()
        user.save(update_fields=["display_name"])
        messages.success(request, _("Saved."))
        response = redirect("account")
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            form.cleaned_data["language"],
            max_age=_YEAR,
            samesite="Lax",
            secure=request.is_secure(),
            httponly=True,
        )
        return response
    return _page(request, "account/profile.html", _("Profile"), form=form, account=user)


def _owner(request: HttpRequest) -> Actor:
    actor = acting(request)
    if actor is None or actor.merchant_id is None:
        raise NotFound(_("There is no such page or order."))
    if actor.role != Role.OWNER:
        raise Forbidden(_("Only an owner manages the staff."), hint=_("Ask an owner of the shop."))
    return actor


@login_required
def staff_list(request: HttpRequest) -> HttpResponse:
    """The shop's staff; a POST adds `username` in `role`."""
    actor = _owner(request)
    error = None
    if request.method == "POST":
        try:
            added = staff.add(actor, request.POST.get("username", ""), request.POST.get("role", ""))
        except ChadanError as refused:
            error = refused
        else:
            messages.success(request, _("%(name)s now works for the shop.") % {"name": added.user})
            return redirect("staff")
    return _page(
        request,
        "account/staff.html",
        _("Staff"),
        members=staff.members(actor),
        roles=Role.choices,
        error=error,
        typed=request.POST,
    )


@form_of(lambda membership_id: reverse("staff"))  # noqa: ARG005 - the list has all members
@login_required
def staff_change(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Gives a member of staff another `role`, or with `remove` ends the membership."""
    actor = _owner(request)
    try:
        if "remove" in request.POST:
            staff.remove(actor, membership_id)
        else:
            staff.change_role(actor, membership_id, request.POST.get("role", ""))
    except NotFound:
        raise
    except ChadanError as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Saved."))
    return redirect("staff")


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    status = 200
    error = context.get("error")
    if isinstance(error, ChadanError):
        status = error.status
    return render(request, template, {"title": title, "menu": account_menu(request), **context}, status=status)
