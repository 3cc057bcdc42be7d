"""The pages of stock and deliveries: /m/stock and /m/deliveries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chadan.accounts.actors import Actor, Permission
from chadan.delivery import card_lists, manual, overview, stock
from chadan.exports.views import signed_in
from chadan.orders import number
from chadan.orders.states import DeliveryKind, OrderStatus
from chadan.platform.errors import ChadanError, InvalidInput, NotFound

LARGEST = 20 * 1024 * 1024
"""Bytes of an uploaded card list."""


@require_safe
@signed_in
def shelves(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every card product's stock, and the search for an exact card."""
    return _shelves(request, actor)


@require_POST
@signed_in
def find(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Where an exact card is."""
    text = request.POST.get("card", "").strip()
    found = stock.find_card(actor, text) if text else None
    return _shelves(request, actor, asked=bool(text), found=found)


@require_POST
@signed_in
def reveal(request: HttpRequest, actor: Actor, card_id: int) -> HttpResponse:
    """A stocked card in clear: a permission and an audit event."""
    return _shelves(request, actor, shown=stock.reveal(actor, card_id))


def _shelves(request: HttpRequest, actor: Actor, **more: Any) -> HttpResponse:
    context = {
        "title": _("Card stock"),
        "shelves": overview.shelves(actor),
        "may_reveal": actor.may(Permission.REVEAL),
        **more,
    }
    return render(request, "delivery/stock.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def shelf(request: HttpRequest, actor: Actor, product_id: int) -> HttpResponse:
    """One product: its batches and the import form; a POST imports and shows what became of every line."""
    report, error = None, None
    stock.product_of(actor, product_id)
    if request.method == "POST":
        try:
            report = _import(request, actor, product_id)
        except InvalidInput as wrong:
            error = wrong
    context = {
        "title": _("Card stock"),
        "shelf": overview.shelf(actor, product_id),
        "batches": overview.batches(actor, product_id),
        "report": report,
        "error": error,
        "typed": request.POST.get("cards", "") if error else "",
    }
    return render(request, "delivery/shelf.html", context, status=error.status if error else 200)


def _import(request: HttpRequest, actor: Actor, product_id: int) -> stock.Report:
    sent = request.FILES.get("file")
    if not isinstance(sent, UploadedFile):
        return stock.import_cards(actor, product_id, card_lists.from_text(request.POST.get("cards", "")), _("pasted"))
    if (sent.size or 0) > LARGEST:
        raise InvalidInput(_("This file is larger than 20 MB."), hint=_("Send it in parts."), field="file")
    with NamedTemporaryFile(suffix=Path(sent.name or "").suffix.lower()[:8]) as copy:
        for chunk in sent.chunks():
            copy.write(chunk)
        copy.flush()
        return stock.import_cards(actor, product_id, card_lists.from_file(Path(copy.name)), sent.name or "")


@require_POST
@signed_in
def withdraw(request: HttpRequest, actor: Actor, product_id: int) -> HttpResponse:
    """Takes a product's free cards, or those of one batch, out of sale."""
    batch = request.POST.get("batch", "")
    many = stock.withdraw(actor, product_id, int(batch) if batch.isascii() and batch.isdigit() else None)
    said = ngettext("%(n)s card was withdrawn.", "%(n)s cards were withdrawn.", many) % {"n": f"{many:,}"}
    messages.success(request, said)
    return redirect("delivery:shelf", product_id)


@require_safe
@signed_in
def deliveries(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What waits for a person or is stuck, oldest first."""
    context = {"title": _("Deliveries"), "waiting": manual.waiting(actor), "most": manual.MOST}
    return render(request, "delivery/deliveries.html", context)


@require_safe
@signed_in
def delivery(request: HttpRequest, actor: Actor, order_no: str) -> HttpResponse:
    """One order to deliver: by hand, again, or not at all."""
    return _delivery(request, actor, _number(order_no))


@require_POST
@signed_in
def deliver(request: HttpRequest, actor: Actor, order_no: str) -> HttpResponse:
    """Delivers by hand."""

    def work(no: int) -> None:
        manual.by_hand(actor, no, request.POST.get("cards", ""))

    return _done(request, actor, order_no, work, _("The order is delivered."))


@require_POST
@signed_in
def fail(request: HttpRequest, actor: Actor, order_no: str) -> HttpResponse:
    """Gives a delivery up."""

    def work(no: int) -> None:
        manual.give_up(actor, no, request.POST.get("reason", ""))

    return _done(request, actor, order_no, work, _("The order is marked as failed."))


@require_POST
@signed_in
def retry(request: HttpRequest, actor: Actor, order_no: str) -> HttpResponse:
    """Tries a delivery again."""
    return _done(request, actor, order_no, lambda no: manual.retry(actor, no), _("The delivery is being tried again."))


def _done(request: HttpRequest, actor: Actor, order_no: str, work: Callable[[int], None], said: str) -> HttpResponse:
    """Does what was confirmed and goes back to the list; what is wrong is said on the order's own page."""
    number_ = _number(order_no)
    order = manual.one(actor, number_)
    try:
        if request.POST.get("confirmed") != number.text(order.order_no):
            raise InvalidInput(_("Confirm the order and its amount first."), field="confirmed")
        work(number_)
    except NotFound:
        raise
    except ChadanError as error:
        return _delivery(request, actor, number_, error)
    messages.success(request, said)
    return redirect("delivery:deliveries")


def _delivery(request: HttpRequest, actor: Actor, order_no: int, error: ChadanError | None = None) -> HttpResponse:
    order = manual.one(actor, order_no)
    context = {
        "title": _("Deliver"),
        "order": order,
        "cards": order.kind is DeliveryKind.CARD,
        "open": order.status in (OrderStatus.PAID, OrderStatus.PROCESSING),
        "error": error,
        "typed": request.POST,
    }
    return render(request, "delivery/delivery.html", context, status=error.status if error else 200)


def _number(text: str) -> int:
    found = number.find(text)
    if found is None:
        raise NotFound(_("There is no such order."))
    return found
