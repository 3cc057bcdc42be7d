"""The API keys of a capacity: list, make (shown once), revoke."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chadan.accounts.actors import Actor
from chadan.accounts.menu import account_menu
from chadan.accounts.views import acting
from chadan.api import keys
from chadan.platform.errors import Forbidden, InvalidInput
from chadan.web.posting import form_of


class KeyForm(forms.Form):
    """A new key."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("What will use the key."))
    scopes = forms.MultipleChoiceField(label=gettext_lazy("Allowed"), widget=forms.CheckboxSelectMultiple)
    expires_on = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text=gettext_lazy("Empty: until it is revoked."),
    )
    ips = forms.CharField(
        label=gettext_lazy("Only from these addresses"),
        required=False,
        max_length=3000,
        widget=forms.Textarea({"rows": 2}),
        help_text=gettext_lazy("IP addresses or networks, one a line. Empty: from anywhere."),
    )

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = keys.grantable(actor)
        field = cast("forms.MultipleChoiceField", self.fields["scopes"])
        field.choices = [(scope, f"{keys.SCOPES[scope]} ({scope})") for scope in offered]
        field.initial = [keys.READ]

    def expiry(self) -> datetime | None:
        """The end of the last day, or None."""
        day = self.cleaned_data["expires_on"]
        return timezone.make_aware(datetime.combine(day, time.max)) if day else None


def _actor(request: HttpRequest) -> Actor:
    actor = acting(request)
    if actor is None:
        raise Forbidden(_("Your role does not allow this."))
    return actor


@login_required
def key_list(request: HttpRequest) -> HttpResponse:
    """The capacity's keys; a POST makes one and shows its secret, this once."""
    actor = _actor(request)
    held = keys.keys_of(actor)
    form = KeyForm(actor, request.POST or None)
    secret = None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            secret, made = keys.create_key(
                actor, data["name"], data["scopes"], form.expiry(), data["ips"].replace(",", "\n").splitlines()
            )
        except InvalidInput as error:
            form.add_error({"expires_at": "expires_on"}.get(error.field, error.field) or None, error.message)
        else:
            held.insert(0, made)
            form = KeyForm(actor)
    context = {
        "title": _("API keys"),
        "menu": account_menu(request),
        "keys": held,
        "form": form,
        "secret": secret,
        "now": timezone.now(),
    }
    response = render(request, "api/keys.html", context, status=422 if form.errors else 200)
    if secret:
        response["Cache-Control"] = "no-store"
    return response


@form_of(lambda key_id: reverse("keys"))  # noqa: ARG005 - the list has all keys
@login_required
def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    """Ends a key."""
    keys.revoke_key(_actor(request), key_id)
    messages.success(request, _("The key is revoked."))
    return redirect("keys")
