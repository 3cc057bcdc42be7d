"""Pages of batches: choosing what to do, the preview, the progress, the report."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from chadan.accounts.actors import Actor
from chadan.batches import forms, report, services
from chadan.batches.actions import KINDS, Action, action_named, require
from chadan.batches.models import Batch, State
from chadan.orders import remarks
from chadan.payments.refunds import REASON
from chadan.platform.errors import ChadanError, Conflict, Forbidden, InvalidInput, NotFound
from chadan.web.orders.areas import MERCHANT, acting_in
from chadan.web.posting import form_of

for_shop = acting_in(MERCHANT)


def _page(batch_id: UUID) -> str:
    return reverse("batches:batch", args=[batch_id])


@form_of(lambda: MERCHANT.path)
@for_shop
def start(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What the list's bar sends: asks for the texts an action needs, else freezes the orders and goes to the preview."""
    try:
        action = action_named(request.POST.get("action", ""))
        require(actor, action)
        asks = KINDS[action].asks
        wanted = forms.wanted(request.POST, actor)
        if asks and not any(request.POST.get(name) for name in (*asks, "asked")):
            return _ask(request, actor, action)
        batch = services.prepare(actor, action, wanted, forms.texts(request.POST))
    except InvalidInput as error:
        if error.field in ("tag", "note", "reason") and request.POST.get("asked"):
            return _ask(request, actor, action_named(request.POST["action"]), error)
        return _refused(request, error)
    except ChadanError as error:
        return _refused(request, error)
    return HttpResponseRedirect(_page(batch.pk))


def _refused(request: HttpRequest, error: ChadanError) -> HttpResponse:
    messages.error(request, str(error))
    return HttpResponseRedirect(forms.back(request))


def _ask(request: HttpRequest, actor: Actor, action: Action, error: ChadanError | None = None) -> HttpResponse:
    context = {
        "title": str(KINDS[action].label),
        "action": action,
        "kind": KINDS[action],
        "kept": forms.kept(request.POST),
        "typed": forms.texts(request.POST),
        "known_tags": remarks.tags_of(actor),
        "back_url": forms.back(request),
        "error": error,
        "longest": {"tag": remarks.TAG_LENGTH, "note": remarks.NOTE_LENGTH, "reason": REASON},
    }
    return render(request, "batches/ask.html", context, status=error.status if error else 200)


@require_safe
@for_shop
def batches(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The shop's batches, newest first; the rows of unfinished ones keep themselves up to date."""
    found = services.list_batches(actor)
    context = {
        "title": _("Batch actions"),
        "batches": [report.card(one) for one in found],
        "live": any(one.working for one in found),
    }
    part = request.headers.get("HX-Target") == "batches"
    return render(request, "batches/rows.html" if part else "batches/list.html", context)


@require_safe
@for_shop
def batch(request: HttpRequest, actor: Actor, batch_id: UUID) -> HttpResponse:
    """One batch: its preview, then its progress, then its report."""
    return _batch(request, actor, services.get_batch(actor, batch_id))


def _batch(request: HttpRequest, actor: Actor, one: Batch, error: ChadanError | None = None) -> HttpResponse:
    context = {
        "title": str(KINDS[Action(one.action)].label),
        "one": report.card(one),
        "preview": report.preview(actor, one) if one.confirmed_at is None else None,
        "report": report.read(actor, one, request.GET) if one.confirmed_at is not None else None,
        "own": one.user_id == actor.user_id,
        "may_act": actor.may(KINDS[Action(one.action)].permission),
        "may_undo": services.may_undo(one),
        "here": request.get_full_path(),
        "error": error,
    }
    part = request.headers.get("HX-Target") == "batch"
    return render(
        request, "batches/part.html" if part else "batches/batch.html", context, status=error.status if error else 200
    )


@form_of(_page)
@for_shop
def confirm(request: HttpRequest, actor: Actor, batch_id: UUID) -> HttpResponse:
    """Starts what the preview says; what is wrong is said on the preview."""
    try:
        services.confirm(actor, batch_id, request.POST.get("confirmed", ""))
    except NotFound:
        raise
    except (InvalidInput, Conflict) as error:
        return _batch(request, actor, services.get_batch(actor, batch_id), error)
    return HttpResponseRedirect(_page(batch_id))


def _then(request: HttpRequest, batch_id: UUID, work: Callable[[], Batch], said: str) -> HttpResponse:
    try:
        work()
        messages.success(request, said)
    except (Conflict, Forbidden) as error:
        messages.warning(request, str(error))
    return HttpResponseRedirect(_page(batch_id))


@form_of(_page)
@for_shop
def cancel(request: HttpRequest, actor: Actor, batch_id: UUID) -> HttpResponse:
    """Stops a batch."""
    prepared = services.get_batch(actor, batch_id).confirmed_at is None
    answer = _then(request, batch_id, lambda: services.cancel(actor, batch_id), _("The batch was cancelled."))
    return redirect("batches:list") if prepared else answer


@form_of(_page)
@for_shop
def undo(request: HttpRequest, actor: Actor, batch_id: UUID) -> HttpResponse:
    """Undoes a batch."""
    return _then(request, batch_id, lambda: services.undo(actor, batch_id), _("The batch is being undone."))


@form_of(_page)
@for_shop
def resume(request: HttpRequest, actor: Actor, batch_id: UUID) -> HttpResponse:
    """Goes on with a batch that an error stopped."""
    return _then(request, batch_id, lambda: services.resume(actor, batch_id), _("The batch goes on."))


@require_safe
@for_shop
def results(_request: HttpRequest, actor: Actor, batch_id: UUID) -> HttpResponseBase:
    """Every order of the batch with what became of it, as CSV."""
    one = services.get_batch(actor, batch_id)
    if one.state == State.PREPARING:
        raise Conflict(_("The orders are still being looked up."))
    response = StreamingHttpResponse(report.csv_lines(actor, one), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="batch-{str(one.pk)[:8]}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
