"""Jobs that go over many orders: piece by piece, each piece a transaction that also notes how far the job is."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from chadan.catalog.models import Tag
from chadan.orders.tags import Change, Shop, TagRef, swap, take
from chadan.platform.scope import Session, scoped
from chadan.search.beside import Beside
from chadan.search.matching import numbers_below
from chadan.search.order_query import OrderQuery
from chadan.tagging.evaluator import evaluate, shop_scope
from chadan.tagging.models import JobKind, JobState, TagJob, TagRule
from chadan.tagging.ruling import Ruling

PIECE = 200
"""Orders a transaction: their rows are locked for a moment only."""


def run(job_id: int) -> None:
    """Works until the job is done. A job that is done already is left alone; one that was cut off goes on where it was."""
    while _step(job_id):
        pass


def _step(job_id: int) -> bool:
    """One piece, in one transaction; whether there is more. The job's row is locked, so that two workers share no piece."""
    job = TagJob.objects.filter(pk=job_id).first()
    if job is None or not job.running:
        return False
    shop = Shop(job.merchant_id, job.home)
    with scoped(shop_scope(shop)) as session:
        job = TagJob.objects.select_for_update(of=("self",)).get(pk=job_id)
        if not job.running:
            return False
        more = _apply(session, shop, job) if job.kind == JobKind.APPLY else _clear(session, shop, job)
        if not more:
            job.state, job.finished_at = JobState.DONE, timezone.now()
        job.save()
    return more


def _clear(session: Session, shop: Shop, job: TagJob) -> bool:
    """Takes the tag off a piece of its orders (or gives them the other one); the last piece removes the tag itself."""
    tag = Tag.objects.filter(pk=job.tag_id, merchant_id=job.merchant_id).first()
    if tag is None:
        return False
    numbers = numbers_below(session, shop_scope(shop), OrderQuery(tag=(tag.name,)), None, PIECE)
    if not numbers:
        tag.delete()
        return False
    changes = [Change(order_no, TagRef(tag.pk, tag.name)) for order_no in numbers]
    if tag.into is not None:
        done = swap(session, shop, changes, TagRef(tag.into.pk, tag.into.name), job.actor)
    else:
        done = take(session, shop, changes, job.actor)
    _noted(job, numbers, len(done))
    return True


def _apply(session: Session, shop: Shop, job: TagJob) -> bool:
    """Evaluates the rule for a piece: first of the orders that match, then of those that bear its tag."""
    rule = TagRule.objects.filter(pk=job.rule_id or 0, merchant_id=job.merchant_id).select_related("tag").first()
    if rule is None:
        return False
    ruling = Ruling.of(rule)
    query, beside = (ruling.query, ruling.beside) if job.phase == 0 else (OrderQuery(tag=(ruling.tag.name,)), Beside())
    numbers = numbers_below(session, shop_scope(shop), query, job.below, PIECE, beside)
    if not numbers:
        job.phase, job.below = job.phase + 1, None
        return job.phase < 2 and ruling.removes
    others = TagRule.objects.filter(merchant_id=job.merchant_id, tag=rule.tag, enabled=True).exclude(pk=rule.pk)
    rulings = [ruling, *(Ruling.of(other) for other in others.select_related("tag"))]
    outcome = evaluate(session, shop, rulings, numbers)
    _noted(job, numbers, len(outcome.added) + len(outcome.removed))
    return True


def _noted(job: TagJob, numbers: Sequence[int], changed: int) -> None:
    job.below = min(numbers)
    job.done += len(numbers)
    job.changed += changed
    job.total = max(job.total, job.done)
