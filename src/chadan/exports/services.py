"""Exports: ask for one, watch it, cancel it, take the file. Every call names who acts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.accounts.models import Role
from chadan.exports import audit, files
from chadan.exports.columns import Audience, Column, allowed, chosen
from chadan.exports.errors import ExportGone
from chadan.exports.limits import row_limit, too_large
from chadan.exports.models import ExportJob, Format, State
from chadan.exports.source import Request, count
from chadan.orders import number
from chadan.platform.config import get_config
from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound
from chadan.platform.scope import Matter
from chadan.search.order_query import OrderQuery
from chadan.search.permitted import refuse_hidden

QUICK_COUNT = 50_000
"""Up to this many orders are counted while the user waits; more are counted by the job."""
SELECTION = 10_000
UNFINISHED = 5
_VIEWS = ("", "consumer", "sales", "agent", "purchases")


def open_columns(actor: Actor, view: str = "") -> tuple[Column, ...]:
    """The columns the actor may take in this view: a shop's inner matters only where the orders are its own sales."""
    scope = actor.scope
    held = {
        Audience.ALL: True,
        Audience.SHOP: scope.owns(view),
        Audience.COST: scope.may_ask(Matter.COST, view),
        Audience.SUPPLIER: scope.may_ask(Matter.SUPPLIER, view),
    }
    return allowed({audience for audience, open_ in held.items() if open_})


def may_unmask(actor: Actor) -> bool:
    """Whether accounts and buyers may leave unmasked."""
    return actor.may(Permission.REVEAL)


def request_export(
    actor: Actor,
    query: OrderQuery,
    *,
    format: str = "xlsx",  # noqa: A002 - the word users and the command line use
    columns: Sequence[str] = (),
    masked: bool = True,
    view: str = "",
    selection: Sequence[int] | None = None,
    frozen: UUID | None = None,
    defer: bool = True,
    language: str = "",
) -> ExportJob:
    """Records an export and, unless `defer` is False, hands it to the worker in the same transaction.

    The file speaks `language`, by default the one of the page it is requested on. `selection` narrows the query to these
    order numbers and makes the rest of the query irrelevant; so does `frozen`, the export batch that holds them. Raises Forbidden (permission, column, unmasking, a query the role
    may not ask), InvalidInput (format, column, view), ExportTooLarge, Conflict (too many unfinished).
    """
    actor.require(Permission.EXPORT)
    if format not in Format.values:
        raise InvalidInput(_("An export is xlsx, csv or parquet."), field="format")
    if view not in _VIEWS:
        raise InvalidInput(_("There is no such view of orders."), field="view")
    if not masked and not may_unmask(actor):
        raise Forbidden(_("Your role may only export masked accounts."), hint=_("Ask an owner of the shop."))
    refuse_hidden(actor.scope, query, view)
    picked = chosen(columns, open_columns(actor, view or query.role_view or ""))
    numbers = None if selection is None else _checked(selection)
    upto = number.floor(number.now() + timedelta(seconds=1))
    _refuse_too_large(actor, Request(actor.scope, query, view or None, upto, numbers, frozen))
    with transaction.atomic():
        if mine(actor).filter(state__in=(State.QUEUED, State.RUNNING)).count() >= UNFINISHED:
            raise Conflict(
                _("You already have %(most)d unfinished exports.") % {"most": UNFINISHED},
                hint=_("Wait for one of them or cancel it."),
            )
        job = ExportJob.objects.create(
            user_id=actor.user_id,
            actor_key=actor.key,
            role=actor.role,
            merchant_id=actor.merchant_id,
            home=actor.home,
            buyer_id=actor.scope.buyer,
            query=query.to_dict(),
            view=view,
            selection=None if numbers is None else [number.text(one) for one in numbers],
            frozen=frozen,
            format=format,
            columns=[column.value for column in picked],
            masked=masked,
            language=language or get_language() or get_config().language,
            upto=upto,
        )
        _record_request(job, actor)
        if frozen is not None:
            from chadan.batches import services as batches

            batches.exported(actor, frozen, job.pk)
        if defer:
            _defer(job)
    return job


def _checked(selection: Sequence[int]) -> tuple[int, ...]:
    numbers = tuple(dict.fromkeys(selection))
    if not numbers:
        raise InvalidInput(_("No order is selected."), field="selection")
    if len(numbers) > SELECTION:
        raise InvalidInput(
            _("At most %(most)s orders can be selected.") % {"most": f"{SELECTION:,}"},
            hint=_("Export the whole filter instead."),
            field="selection",
        )
    if not all(0 < one < 2**63 for one in numbers):
        raise InvalidInput(_("That is not an order number."), field="selection")
    return numbers


def _refuse_too_large(actor: Actor, request: Request) -> None:
    limit = row_limit(actor)
    if limit < QUICK_COUNT and count(request, limit + 1) > limit:
        raise too_large(limit)


def _record_request(job: ExportJob, actor: Actor) -> None:
    taken = {
        "format": job.format,
        "columns": job.columns,
        "masked": job.masked,
        "query": job.query,
        "view": job.view,
        "selected": None if job.selection is None else len(job.selection),
        "batch": job.frozen and str(job.frozen),
    }
    audit.record(job, "export.requested", taken, actor)


def _defer(job: ExportJob) -> None:
    from chadan.exports.tasks import run_export

    run_export.configure(lock=f"export:{job.pk}").defer(export_id=str(job.pk))


def mine(actor: Actor) -> QuerySet[ExportJob]:
    """The exports the actor may see: its own in this capacity; an owner sees all of its shop's."""
    own = Q(user_id=actor.user_id, actor_key=actor.key)
    if actor.merchant_id is not None and actor.role == Role.OWNER:
        own |= Q(merchant_id=actor.merchant_id)
    return ExportJob.objects.filter(own).select_related("user").order_by("-created_at")


def list_exports(actor: Actor, limit: int = 50) -> list[ExportJob]:
    """The newest exports the actor may see."""
    return list(mine(actor)[:limit])


def get_export(actor: Actor, export_id: UUID) -> ExportJob:
    """One export. Raises NotFound alike for another's and for one that does not exist."""
    job = mine(actor).filter(pk=export_id).first()
    if job is None:
        raise NotFound(_("There is no such export."))
    return job


def cancel_export(actor: Actor, export_id: UUID) -> ExportJob:
    """Stops an export that is not finished; its file goes. Raises NotFound, Conflict when it is finished."""
    job = get_export(actor, export_id)
    now = timezone.now()
    waiting = ExportJob.objects.filter(pk=job.pk, state__in=(State.QUEUED, State.RUNNING))
    if not waiting.update(state=State.CANCELLED, finished_at=now, checkpoint={}):
        raise Conflict(_("This export is already finished."))
    files.remove(job.pk)
    audit.record(job, "export.cancelled", {"rows": job.rows_done}, actor)
    job.refresh_from_db()
    return job


def retry_export(actor: Actor, export_id: UUID) -> ExportJob:
    """Starts a failed or cancelled export again, from the beginning. Raises NotFound, Conflict."""
    actor.require(Permission.EXPORT)
    job = get_export(actor, export_id)
    if job.user_id != actor.user_id:
        raise NotFound(_("There is no such export."))
    again = {"state": State.QUEUED, "error": "", "checkpoint": {}, "rows_done": 0, "rows_total": None, "bytes": 0}
    with transaction.atomic():
        stopped = ExportJob.objects.filter(pk=job.pk, state__in=(State.FAILED, State.CANCELLED))
        if not stopped.update(**again, attempt=F("attempt") + 1, started_at=None, finished_at=None):
            raise Conflict(_("Only a failed or cancelled export can be started again."))
        audit.record(job, "export.retried", {}, actor)
        _defer(job)
    job.refresh_from_db()
    return job


def open_download(actor: Actor, export_id: UUID) -> tuple[ExportJob, Path]:
    """The finished file; the download is recorded. Raises NotFound, Conflict before it is ready, ExportGone after."""
    job = get_export(actor, export_id)
    if job.running or job.state in (State.FAILED, State.CANCELLED):
        raise Conflict(_("This export has no file to download."))
    path = files.final_path(job.pk, job.format)
    if job.state == State.EXPIRED or (job.expires_at and job.expires_at <= timezone.now()) or not path.exists():
        raise ExportGone(_("This file is no longer kept."), hint=_("Export again."))
    audit.record(job, "export.downloaded", {"rows": job.rows_done, "sha256": job.sha256}, actor)
    return job, path


def drop_file(job: ExportJob) -> None:
    """Lets a file go before its time: it was delivered elsewhere."""
    files.remove(job.pk)
    ExportJob.objects.filter(pk=job.pk, state=State.DONE).update(state=State.EXPIRED)


def expire_exports() -> int:
    """Removes files whose time is over, and files nobody's export owns; returns how many exports expired."""
    due = list(ExportJob.objects.filter(state=State.DONE, expires_at__lte=timezone.now()))
    for job in due:
        drop_file(job)
        audit.record(job, "export.expired", {})
    owned = ExportJob.objects.filter(state__in=(State.QUEUED, State.RUNNING, State.DONE))
    files.remove_all_but({str(one) for one in owned.values_list("pk", flat=True)})
    return len(due)
