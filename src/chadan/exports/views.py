"""The pages of exports: ask for one, watch it being written, take the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from chadan.accounts.actors import Actor, Permission
from chadan.exports import services
from chadan.exports.columns import SPECS, Column, chosen, defaults
from chadan.exports.forms import Wanted, area_named, from_form, from_list
from chadan.exports.limits import row_limit
from chadan.exports.models import ExportJob, Format, State
from chadan.orders import number
from chadan.platform.config import get_config
from chadan.platform.errors import ChadanError, Conflict, NotFound
from chadan.search.chips import describe
from chadan.search.order_query import OrderQuery
from chadan.web.orders.areas import actor_in
from chadan.web.posting import form_of

P = ParamSpec("P")
CONTENT_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
}
TONES = {
    State.QUEUED: "amber",
    State.RUNNING: "blue",
    State.DONE: "green",
    State.FAILED: "red",
    State.CANCELLED: "grey",
    State.EXPIRED: "grey",
}


def signed_in(
    view: Callable[Concatenate[HttpRequest, Actor, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Gives the view the acting capacity; sends strangers to the login page. Nothing here is kept by caches."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        actor: Actor | None = request.actor  # type: ignore[attr-defined]  # accounts.middleware
        if not actor:
            raise NotFound(_("There is no such page or order."))
        response = view(request, actor, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        return response

    return wrapper


@require_safe
@signed_in
def exports(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The exports of this capacity, newest first; the rows of unfinished ones keep themselves up to date."""
    jobs = services.list_exports(actor)
    context = {
        "title": _("Exports"),
        "jobs": [_card(job) for job in jobs],
        "live": any(job.running for job in jobs),
        "may_export": actor.may(Permission.EXPORT),
        "days": get_config().export_days,
    }
    part = request.headers.get("HX-Target") == "exports"
    return render(request, "exports/jobs.html" if part else "exports/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The form; sent, it starts the export and goes to its page."""
    area = area_named(request.GET if request.method != "POST" else request.POST)
    if area is not None:
        actor = actor_in(request, area)
        request.actor = actor  # type: ignore[attr-defined]  # the layout shows who acts
    actor.require(Permission.EXPORT)
    if request.method != "POST":
        wanted = from_list(request.GET, actor)
        return _form(request, actor, wanted, _suggested(request, actor, wanted))
    wanted = from_form(request.POST, actor)
    try:
        job = services.request_export(
            actor,
            wanted.query,
            format=request.POST.get("format", ""),
            columns=request.POST.getlist("columns"),
            masked=request.POST.get("open") != "1",
            view=wanted.view,
            selection=wanted.selection,
            frozen=wanted.batch.pk if wanted.batch else None,
        )
    except ChadanError as error:
        return _form(request, actor, wanted, request.POST.getlist("columns"), error)
    return redirect("exports:export", job.pk)


def _suggested(request: HttpRequest, actor: Actor, wanted: Wanted) -> list[str]:
    """The columns the list shows, as far as an export has them, besides the usual ones."""
    available = services.open_columns(actor, wanted.view)
    shown = [name for name in request.GET.getlist("column") if name in set(available)]
    return list(dict.fromkeys([*defaults(available), *shown]))


def _form(
    request: HttpRequest, actor: Actor, wanted: Wanted, ticked: list[str], error: ChadanError | None = None
) -> HttpResponse:
    available = services.open_columns(actor, wanted.view)
    found = wanted.count(actor)
    context = {
        "title": _("Export orders"),
        "wanted": wanted,
        "area": actor.kind,
        "count": found,
        "limit": row_limit(actor),
        "columns": [(column.value, SPECS[column].header, column.value in ticked) for column in available],
        "formats": Format.choices,
        "format": request.POST.get("format", Format.XLSX),
        "may_unmask": services.may_unmask(actor),
        "unmasked": request.POST.get("open") == "1",
        "error": error,
        "days": get_config().export_days,
    }
    return render(request, "exports/new.html", context, status=error.status if error else 200)


@require_safe
@signed_in
def export(request: HttpRequest, actor: Actor, export_id: UUID) -> HttpResponse:
    """One export: its progress while it is written, then the file and its checksum."""
    job = services.get_export(actor, export_id)
    columns = [SPECS[column].header for column in chosen(job.columns, tuple(Column))]
    context = {
        "title": job.filename,
        "one": _card(job),
        "columns": columns,
        "own": job.user_id == actor.user_id,
        "sentence": _sentence(job),
    }
    part = request.headers.get("HX-Target") == "export"
    return render(request, "exports/job.html" if part else "exports/export.html", context)


@form_of(lambda export_id: reverse("exports:export", args=[export_id]))
@signed_in
def cancel(request: HttpRequest, actor: Actor, export_id: UUID) -> HttpResponse:
    """Stops an unfinished export."""
    try:
        services.cancel_export(actor, export_id)
        messages.success(request, _("The export was cancelled."))
    except Conflict as error:
        messages.warning(request, str(error))
    return redirect("exports:export", export_id)


@form_of(lambda export_id: reverse("exports:export", args=[export_id]))
@signed_in
def retry(request: HttpRequest, actor: Actor, export_id: UUID) -> HttpResponse:
    """Starts a failed or cancelled export again."""
    try:
        services.retry_export(actor, export_id)
    except Conflict as error:
        messages.warning(request, str(error))
    return redirect("exports:export", export_id)


@require_GET
@signed_in
def download(request: HttpRequest, actor: Actor, export_id: UUID) -> HttpResponseBase:
    """The file, streamed; its SHA-256 is the entity tag."""
    job = services.get_export(actor, export_id)
    tag = f'"{job.sha256}"'
    if job.state == State.DONE and request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag})
    job, path = services.open_download(actor, export_id)
    response = FileResponse(
        path.open("rb"), as_attachment=True, filename=job.filename, content_type=CONTENT_TYPES[Format(job.format)]
    )
    response.block_size = 1 << 18
    response["ETag"] = tag
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _card(job: ExportJob) -> dict[str, Any]:
    """A job with its words, for the templates."""
    query = OrderQuery.from_dict(job.query)
    if job.frozen is not None:
        about = _("The orders of a batch")
    elif job.selection is not None:
        about = _("%(n)s selected orders") % {"n": f"{len(job.selection):,}"}
    else:
        about = describe(query, now=number.now()) or _("All orders")
    return {
        "job": job,
        "about": about,
        "state": State(job.state).label,
        "tone": TONES[State(job.state)],
        "format": job.format.upper(),
        "by": str(job.user),
    }


def _sentence(job: ExportJob) -> str:
    """What the state means for the reader, in one sentence."""
    if job.state == State.DONE and not job.rows_done:
        return _("No order matched: the file holds the heading alone.")
    return {
        State.QUEUED: _("The export waits for its turn."),
        State.RUNNING: _("The export is being written; you may leave this page."),
        State.DONE: _("The file is complete."),
        State.FAILED: job.error,
        State.CANCELLED: _("The export was cancelled and its file removed."),
        State.EXPIRED: _("The file is no longer kept. Export again."),
    }[State(job.state)]
