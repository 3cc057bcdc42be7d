"""Batches: prepare one, confirm it, watch it, cancel it, undo it. Every call names who acts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from psycopg.errors import QueryCanceled

from chadan.accounts.actors import Actor
from chadan.accounts.models import Role
from chadan.batches import audit, freezing, rows
from chadan.batches.actions import KINDS, Action, require
from chadan.batches.models import Batch, State
from chadan.orders import number, remarks
from chadan.payments.refunds import REASON
from chadan.platform.config import get_config
from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound
from chadan.platform.scope import Scope, scoped
from chadan.search.order_query import OrderQuery
from chadan.search.permitted import refuse_hidden

AT_ONCE = 6000
AT_MOST_SECONDS = 3
"""Up to about this many orders are looked up while the user waits, and about this long; a job looks up more."""
TICKED = 10_000
UNFINISHED = 5
DRAFT_HOURS = 24
_OWN_VIEWS = ("", "sales", "agent")
_UNFINISHED = (State.RUNNING, State.UNDOING)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders: all a query means in a view, or ticked ones."""

    query: OrderQuery | None = None
    view: str = ""
    numbers: tuple[int, ...] = ()


def prepare(actor: Actor, action: Action, wanted: Wanted, texts: Mapping[str, str], language: str = "") -> Batch:
    """Freezes the orders and says what would happen to them; nothing happens yet.

    `texts` are what the action asks for: tag, note (and `visible`), reason. Raises Forbidden (role, a query it may not ask, another
    shop's orders), InvalidInput (a text, nothing ticked), NotFound when there is no such order.
    """
    merchant_id, home = require(actor, action)
    if wanted.view not in _OWN_VIEWS or (wanted.query and (wanted.query.role_view or "") not in _OWN_VIEWS):
        raise Forbidden(_("These orders are another shop's sales."))
    if wanted.query is not None:
        refuse_hidden(actor.scope, wanted.query, wanted.view or None)
    elif not wanted.numbers:
        raise InvalidInput(_("Tick the orders first."), field="selected")
    if len(set(wanted.numbers)) > TICKED:
        raise InvalidInput(
            _("At most %(most)s orders can be ticked.") % {"most": f"{TICKED:,}"},
            hint=_("Take all orders of the filter instead."),
            field="selected",
        )
    with transaction.atomic():
        batch = Batch.objects.create(
            user_id=actor.user_id,
            hand_id=actor.user_id,
            actor_key=actor.key,
            role=actor.role,
            merchant_id=merchant_id,
            home=home,
            action=action,
            params=_params(action, texts),
            query=None if wanted.query is None else wanted.query.to_dict(),
            view=wanted.view,
            upto=number.floor(number.now() + timedelta(seconds=1)),
            language=language or get_language() or get_config().language,
        )
        _freeze(batch, actor, wanted)
    return batch


def _params(action: Action, texts: Mapping[str, str]) -> dict[str, object]:
    asks = KINDS[action].asks
    if "tag" in asks:
        return {"tag": remarks.check_tag(texts.get("tag", ""))}
    if "note" in asks:
        return {"note": remarks.check_note(texts.get("note", "")), "internal": texts.get("visible") != "buyer"}
    if "reason" in asks:
        reason = texts.get("reason", "").replace("\x00", "").strip()
        if not reason:
            raise InvalidInput(_("Say why the money goes back."), field="reason")
        if len(reason) > REASON:
            raise InvalidInput(_("That is too long: at most %(most)d characters.") % {"most": REASON}, field="reason")
        return {"reason": reason}
    return {}


def _freeze(batch: Batch, actor: Actor, wanted: Wanted) -> None:
    if wanted.query is None:
        freezing.freeze_numbers(batch, actor, list(dict.fromkeys(wanted.numbers)))
        batch.state = State.READY
        batch.save(update_fields=["state"])
    else:
        _freeze_at_once(batch, actor)
    with scoped(actor.scope) as session:
        unknown = sum(
            one.count for one in rows.groups(session, batch.pk, [rows.RowState.SKIPPED]) if one.reason == "not_found"
        )
    if batch.state == State.READY and batch.total == unknown:
        # What is another's and what does not exist answer the same, and nothing is kept of either.
        if wanted.query is None:
            raise NotFound(_("There is no such order."))
        raise InvalidInput(_("No order matches any more."))


def _freeze_at_once(batch: Batch, actor: Actor) -> None:
    """As much as somebody waits for; a job looks up the rest."""
    ends = time.monotonic() + AT_MOST_SECONDS
    try:
        while freezing.freeze_more(batch, actor, AT_MOST_SECONDS):
            if batch.total >= AT_ONCE or time.monotonic() > ends:
                _defer(batch)
                return
    except QueryCanceled:
        batch.refresh_from_db()
        _defer(batch)


def _defer(batch: Batch) -> None:
    from chadan.batches.tasks import work

    work.configure(lock=f"batch:{batch.pk}").defer(batch_id=str(batch.pk))


def confirm(actor: Actor, batch_id: UUID, typed: str = "") -> Batch:
    """Starts a prepared batch: the job is deferred in the same transaction. Confirmed twice it runs once.

    `typed` is how many orders it acts on, as the preview says; asked for where money or goods move. Raises NotFound, Forbidden,
    InvalidInput (typed wrongly), Conflict (not ready, expired, nothing to do, too many unfinished).
    """
    batch = get_batch(actor, batch_id)
    action = Action(batch.action)
    require(actor, action)
    if batch.user_id != actor.user_id:
        raise Forbidden(_("Only who prepared it may confirm it."))
    if batch.state != State.READY:
        if batch.confirmed_at is not None:
            return batch
        raise Conflict(_("This batch cannot be confirmed now."), hint=_("Reload the page."))
    if batch.created_at < timezone.now() - timedelta(hours=DRAFT_HOURS):
        raise Conflict(_("This preview is too old."), hint=_("Select the orders again."))
    if not batch.able:
        raise Conflict(_("There is no order it could act on."))
    if action is Action.EXPORT:
        raise Conflict(_("An export is started from its form."))
    if KINDS[action].typed and typed.replace(",", "").strip() != str(batch.able):
        raise InvalidInput(
            _("Type the number of orders, %(count)s, to confirm.") % {"count": f"{batch.able:,}"}, field="confirmed"
        )
    with transaction.atomic():
        if _visible(actor).filter(user_id=actor.user_id, state__in=_UNFINISHED).count() >= UNFINISHED:
            raise Conflict(
                _("You already have %(most)d unfinished batches.") % {"most": UNFINISHED},
                hint=_("Wait for one of them or cancel it."),
            )
        ready = Batch.objects.filter(pk=batch.pk, state=State.READY)
        if ready.update(state=State.RUNNING, confirmed_at=timezone.now()):
            audit.record(batch, "batch.confirmed", actor, {"amount": batch.able_amount, **batch.params})
            _defer(batch)
    batch.refresh_from_db()
    return batch


def to_export(actor: Actor, batch_id: UUID) -> Batch:
    """A prepared export, for the form that chooses file and columns. Raises NotFound, Forbidden, Conflict when it is not ready."""
    batch = get_batch(actor, batch_id)
    require(actor, Action.EXPORT)
    if batch.action != Action.EXPORT or batch.state != State.READY or batch.user_id != actor.user_id:
        raise Conflict(_("This batch cannot be exported now."), hint=_("Select the orders again."))
    return batch


def exported(actor: Actor, batch_id: UUID, export_id: UUID) -> None:
    """Notes which export took a batch's orders, in the transaction that requests it. Raises as `to_export`."""
    batch = to_export(actor, batch_id)
    now = timezone.now()
    ready = Batch.objects.filter(pk=batch.pk, state=State.READY)
    params = {**batch.params, "export": str(export_id)}
    if not ready.update(state=State.DONE, done=batch.able, confirmed_at=now, finished_at=now, params=params):
        raise Conflict(_("This batch cannot be exported now."), hint=_("Select the orders again."))


def cancel(actor: Actor, batch_id: UUID) -> Batch:
    """Stops a batch; what it has done stays done, and can be undone. Raises NotFound, Conflict when it is over."""
    batch = get_batch(actor, batch_id)
    with transaction.atomic():
        waiting = Batch.objects.filter(pk=batch.pk, state__in=(State.PREPARING, State.READY, *_UNFINISHED))
        if not waiting.update(state=State.CANCELLED, finished_at=timezone.now()):
            raise Conflict(_("This batch is already finished."))
        audit.record(batch, "batch.cancelled", actor, {"done": batch.done})
    batch.refresh_from_db()
    return batch


def undo(actor: Actor, batch_id: UUID) -> Batch:
    """Starts undoing: only orders the batch changed, and only where nobody changed them since.

    Raises NotFound, Forbidden, Conflict (no inverse, still running, nothing left to undo).
    """
    batch = get_batch(actor, batch_id)
    action = Action(batch.action)
    require(actor, action)
    if not KINDS[action].undoable:
        raise Conflict(_("This cannot be undone."))
    with transaction.atomic():
        over = Batch.objects.filter(pk=batch.pk, state__in=(State.DONE, State.CANCELLED, State.FAILED), done__gt=0)
        if not over.update(state=State.UNDOING, undoing=True, hand_id=actor.user_id, error="", finished_at=None):
            raise Conflict(_("There is nothing to undo now."))
        audit.record(batch, "batch.undone", actor)
        _defer(batch)
    batch.refresh_from_db()
    return batch


def resume(actor: Actor, batch_id: UUID) -> Batch:
    """Goes on with a batch that an error stopped. Raises NotFound, Forbidden, Conflict."""
    batch = get_batch(actor, batch_id)
    require(actor, Action(batch.action))
    to = State.UNDOING if batch.undoing else State.RUNNING
    if batch.confirmed_at is None:
        to = State.PREPARING
    with transaction.atomic():
        stopped = Batch.objects.filter(pk=batch.pk, state=State.FAILED)
        if not stopped.update(state=to, error="", finished_at=None):
            raise Conflict(_("Only a batch that an error stopped can go on."))
        audit.record(batch, "batch.resumed", actor)
        _defer(batch)
    batch.refresh_from_db()
    return batch


def may_undo(batch: Batch) -> bool:
    """Whether there is something to undo now."""
    over = batch.state in (State.DONE, State.CANCELLED, State.FAILED)
    return over and batch.done > 0 and KINDS[Action(batch.action)].undoable


def list_batches(actor: Actor, limit: int = 50) -> list[Batch]:
    """The newest batches the actor may see, without those nobody confirmed."""
    return list(_visible(actor).exclude(confirmed_at=None, state__in=(State.CANCELLED,))[:limit])


def get_batch(actor: Actor, batch_id: UUID) -> Batch:
    """One batch. Raises NotFound alike for another's and for one that does not exist."""
    batch = _visible(actor).filter(pk=batch_id).first()
    if batch is None:
        raise NotFound(_("There is no such batch."))
    return batch


def _visible(actor: Actor) -> QuerySet[Batch]:
    """The actor's own in this capacity; an owner sees all of the shop's."""
    own = Q(user_id=actor.user_id, actor_key=actor.key)
    if actor.merchant_id is not None and actor.role == Role.OWNER:
        own |= Q(merchant_id=actor.merchant_id)
    return Batch.objects.filter(own).select_related("user").order_by("-created_at")


def forget_drafts() -> int:
    """Removes previews nobody confirmed in time, their orders with them; returns how many."""
    old = timezone.now() - timedelta(hours=DRAFT_HOURS + 1)
    drafts = Batch.objects.filter(confirmed_at=None, created_at__lt=old)
    dropped = 0
    for batch in drafts.iterator():
        with transaction.atomic(), scoped(Scope((batch.merchant_id,), (batch.home,))) as session:
            rows.drop(session, [batch.pk])
            batch.delete()
        dropped += 1
    return dropped


def may_see(actor: Actor) -> bool:
    """Whether the actor's capacity has batches at all."""
    return actor.merchant_id is not None and any(actor.may(kind.permission) for kind in KINDS.values())
