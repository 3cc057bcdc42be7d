"""A shop's tags: colours, names, counts; and the begin of a merge or a delete, which a job carries out."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.catalog.models import Tag
from chadan.orders import events
from chadan.orders.remarks import check_tag
from chadan.platform.errors import Conflict, InvalidInput, NotFound
from chadan.saved_views.models import SavedView
from chadan.search import matching
from chadan.search.service import Count
from chadan.tagging.models import JobKind, JobState, TagJob, TagRule
from chadan.tagging.rules import refuse_ring, renamed, shop_of
from chadan.tagging.ruling import Ruling

MOST = 200
"""Tags a shop may have."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A tag, how many orders bear it (to the cap of counts) and how many rules put it on."""

    tag: Tag
    count: Count
    rules: int

    @property
    def shown(self) -> str:
        """The number for people."""
        return f"{self.count.total:,}" if self.count.exact else "1,000+"


def counted(actor: Actor) -> list[Counted]:
    """The tags of the actor's shop by name, with their counts; none for somebody who acts for no shop."""
    if actor.merchant_id is None:
        return []
    tags = list(Tag.objects.filter(merchant_id=actor.merchant_id).order_by("name_key")[:MOST])
    counts = matching.tag_counts(actor.scope, [tag.pk for tag in tags])
    rules: dict[int, int] = {}
    for tag_id in TagRule.objects.filter(merchant_id=actor.merchant_id).values_list("tag_id", flat=True):
        rules[tag_id] = rules.get(tag_id, 0) + 1
    return [Counted(tag, counts[tag.pk], rules.get(tag.pk, 0)) for tag in tags]


def tag_of(actor: Actor, tag_id: int) -> Tag:
    """A tag of the actor's shop. Raises NotFound."""
    tag = Tag.objects.filter(merchant_id=actor.merchant_id or 0, pk=tag_id).first()
    if tag is None:
        raise NotFound(_("There is no such tag."))
    return tag


def count_of(actor: Actor, tag: Tag) -> Count:
    """How many orders bear the tag, to the cap of counts."""
    return matching.tag_counts(actor.scope, [tag.pk])[tag.pk]


def create(actor: Actor, name: str, colour: str = "grey") -> Tag:
    """A new tag. Raises Forbidden, InvalidInput, Conflict when the shop has one of this name."""
    actor.require(Permission.TAG)
    shop = shop_of(actor)
    name, colour = check_tag(name), check_colour(colour)
    if Tag.objects.filter(merchant_id=shop.merchant_id).count() >= MOST:
        raise Conflict(_("A shop may have %(most)d tags.") % {"most": MOST}, hint=_("Merge or delete some first."))
    try:
        with transaction.atomic():
            return Tag.objects.create(merchant_id=shop.merchant_id, home=shop.home, name=name, colour=colour)
    except IntegrityError as error:
        raise _taken() from error


def change(actor: Actor, tag: Tag, *, name: str | None = None, colour: str | None = None) -> Tag:
    """Another name or colour. Rules and saved views that ask about the tag follow. Raises Forbidden, InvalidInput, Conflict."""
    actor.require(Permission.MANAGE)
    before = tag.name
    with transaction.atomic():
        tag = _standing(actor, tag)
        tag.name = check_tag(name) if name is not None else tag.name
        tag.colour = check_colour(colour) if colour is not None else tag.colour
        try:
            with transaction.atomic():
                tag.save()
        except IntegrityError as error:
            raise _taken() from error
        if tag.name != before:
            _follow(tag.merchant_id, before, tag.name)
    return tag


def merge(actor: Actor, tag: Tag, into: Tag) -> TagJob:
    """Begins to give every order of `tag` the other one instead. Raises Forbidden, InvalidInput, Conflict.

    From now on whoever tags with the old name gets `into`; its rules put on `into`.
    """
    actor.require(Permission.MANAGE)
    if tag.pk == into.pk:
        raise InvalidInput(_("Choose another tag to merge into."), field="into")
    total = count_of(actor, tag).total
    with transaction.atomic():
        first, second = (_standing(actor, one) for one in sorted((tag, into), key=lambda one: one.pk))
        tag, into = (first, second) if first.pk == tag.pk else (second, first)
        rules = list(TagRule.objects.select_for_update(of=("self",)).filter(merchant_id=tag.merchant_id))
        TagRule.objects.filter(merchant_id=tag.merchant_id, tag=tag).update(tag=into)
        _follow(tag.merchant_id, tag.name, into.name)
        if rules:
            after = TagRule.objects.filter(merchant_id=tag.merchant_id).select_related("tag")
            refuse_ring([Ruling.of(rule) for rule in after])
        tag.leaving, tag.into = True, into
        tag.save(update_fields=["leaving", "into"])
        return _begin(actor, JobKind.MERGE, tag, f"{tag.name} → {into.name}", total)


def delete(actor: Actor, tag: Tag) -> TagJob:
    """Begins to take the tag off every order; its rules go with it. Raises Forbidden, Conflict."""
    actor.require(Permission.MANAGE)
    total = count_of(actor, tag).total
    with transaction.atomic():
        tag = _standing(actor, tag)
        tag.leaving = True
        tag.save(update_fields=["leaving"])
        TagRule.objects.filter(tag=tag).delete()
        return _begin(actor, JobKind.DELETE, tag, tag.name, total)


def apply(actor: Actor, rule: TagRule) -> TagJob:
    """Begins to apply a rule to the orders that are there. Raises Forbidden, Conflict when that is under way already."""
    actor.require(Permission.MANAGE)
    ruling = Ruling.of(rule)
    total = matching.count(actor.scope, ruling.query).total
    try:
        with transaction.atomic():
            return _begin(actor, JobKind.APPLY, rule.tag, rule.name, total, rule)
    except IntegrityError as error:
        raise Conflict(_("This rule is being applied already.")) from error


def retry(actor: Actor, job_id: int) -> None:
    """Lets a job that failed go on where it stopped. Raises Forbidden, NotFound, Conflict when another took its place."""
    from chadan.tagging.tasks import run

    actor.require(Permission.MANAGE)
    job = TagJob.objects.filter(merchant_id=actor.merchant_id or 0, pk=job_id).first()
    if job is None:
        raise NotFound(_("There is no such job."))
    try:
        with transaction.atomic():
            again = TagJob.objects.filter(pk=job.pk, state=JobState.FAILED)
            if again.update(state=JobState.RUNNING, error="", finished_at=None):
                run.configure(lock=f"tagging:{job.merchant_id}").defer(job_id=job.pk)
    except IntegrityError as error:
        raise Conflict(_("This rule is being applied already.")) from error


def jobs_of(actor: Actor, most: int = 5) -> list[TagJob]:
    """The shop's latest jobs, newest first."""
    return list(TagJob.objects.filter(merchant_id=actor.merchant_id or 0).order_by("-pk")[:most])


def check_colour(colour: str) -> str:
    """The colour, if it is one of the tones. Raises InvalidInput."""
    if colour not in Tag.COLOURS:
        raise InvalidInput(_("Choose one of the colours."), field="colour")
    return colour


def _taken() -> Conflict:
    return Conflict(_("There is a tag of this name already."), hint=_("Merge the two instead."), field="name")


def _standing(actor: Actor, tag: Tag) -> Tag:
    """The tag, locked: no order gets it meanwhile. Raises NotFound, or Conflict while it is being merged or deleted."""
    found = Tag.objects.select_for_update(of=("self",)).filter(merchant_id=actor.merchant_id or 0, pk=tag.pk).first()
    if found is None:
        raise NotFound(_("There is no such tag."))
    if found.leaving:
        raise Conflict(_("This tag is just being deleted."), hint=_("Try again in a moment."))
    return found


def _begin(  # noqa: PLR0917 - a job has six parts
    actor: Actor, kind: JobKind, tag: Tag, title: str, total: int, rule: TagRule | None = None
) -> TagJob:
    from chadan.tagging.tasks import run

    job = TagJob.objects.create(
        merchant_id=tag.merchant_id,
        home=tag.home,
        kind=kind,
        title=title,
        tag_id=tag.pk,
        into_id=tag.into_id,
        rule_id=rule.pk if rule else None,
        actor=events.actor_json(actor),
        actor_id=actor.user_id,
        state=JobState.RUNNING,
        total=total,
    )
    run.configure(lock=f"tagging:{tag.merchant_id}").defer(job_id=job.pk)
    return job


def _follow(merchant_id: int, before: str, after: str) -> None:
    """Rules and saved views of the shop ask about the tag by its new name."""
    for rule in TagRule.objects.filter(merchant_id=merchant_id):
        if (query := renamed(rule.query, before, after)) is not None:
            TagRule.objects.filter(pk=rule.pk).update(query=query)
    for view in SavedView.objects.filter(merchant_id=merchant_id):
        if (query := renamed(view.filters, before, after)) is not None:
            SavedView.objects.filter(pk=view.pk).update(filters=query)
