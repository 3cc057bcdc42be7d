"""Rules, as people make, change and switch them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from chadan.accounts.actors import Actor, Permission
from chadan.catalog.models import Tag
from chadan.orders import number
from chadan.orders.remarks import check_tag
from chadan.orders.tags import Shop
from chadan.platform.errors import Conflict, InvalidInput, NotFound
from chadan.search import grammar, matching
from chadan.search.beside import Beside
from chadan.search.grammar_render import render
from chadan.search.order_query import Exclude, OrderQuery
from chadan.search.permitted import refuse_hidden
from chadan.search.service import Count
from chadan.search.written import preset_range
from chadan.tagging.models import TagRule
from chadan.tagging.ruling import Ruling, ring, tags_in

NAME_LENGTH = 60
MOST = 50
"""Rules a shop may have: each is a statement for every batch of events."""
MOST_ORDERS = 1000
MOST_DAYS = 3650
COUNTED_DAYS = 30
"""A rule that counts a buyer's orders is previewed on so many days: it looks at every order one by one."""
_ONLY_LISTS = ("intent", "metric", "group_by", "sort", "limit")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form asks for. `text` is search grammar."""

    name: str = ""
    tag: str = ""
    text: str = ""
    beside: Beside = matching.NOTHING
    removes: bool = True


@dataclass(frozen=True, slots=True)
class Preview:
    """How many orders match now; `days`: of so many days only (None: all)."""

    count: Count
    days: int | None


def shop_of(actor: Actor) -> Shop:
    """The actor's shop. Raises NotFound for somebody who acts for none."""
    if actor.merchant_id is None or actor.home is None:
        raise NotFound(_("There is no such page or order."))
    return Shop(actor.merchant_id, actor.home)


def rules_of(actor: Actor) -> list[TagRule]:
    """The shop's rules, oldest first."""
    shop = shop_of(actor)
    return list(TagRule.objects.filter(merchant_id=shop.merchant_id).select_related("tag").order_by("pk"))


def rule_of(actor: Actor, rule_id: int) -> TagRule:
    """A rule of the shop. Raises NotFound."""
    shop = shop_of(actor)
    rule = TagRule.objects.filter(merchant_id=shop.merchant_id, pk=rule_id).select_related("tag").first()
    if rule is None:
        raise NotFound(_("There is no such rule."))
    return rule


def wanted_of(rule: TagRule) -> Wanted:
    """The rule as a form shows it."""
    ruling = Ruling.of(rule)
    return Wanted(rule.name, rule.tag.name, render(ruling.query), ruling.beside, rule.removes)


def read(actor: Actor, text: str) -> OrderQuery:
    """The query of search-box text, as a rule may ask it. Raises InvalidQuery, InvalidInput or Forbidden with a sentence."""
    now = number.now()
    parsed = grammar.parse(text, now=now)
    if parsed.problems:
        raise InvalidInput(" ".join(problem.sentence for problem in parsed.problems), field="text")
    # What means something else on another day moves with the clock.
    if grammar.parse(text, now=now + timedelta(days=431, hours=5)).query != parsed.query:
        raise InvalidInput(
            _(
                "A rule looks at an order when something happens to it, so a window that moves with the day means nothing."
            ),
            hint=_("Write fixed dates, such as date:2026-01-01.., or leave the time out."),
            field="text",
        )
    query = parsed.query
    checked(actor, query)
    return query.replace(**{name: getattr(OrderQuery(), name) for name in _ONLY_LISTS})


def checked(actor: Actor, query: OrderQuery) -> None:
    """Raises Forbidden or InvalidInput when the query cannot be a rule's of this actor."""
    refuse_hidden(actor.scope, query)
    counting = query.replace(sort=None, limit=None)
    if counting.replace(intent="list", metric="amount", group_by=None) != counting:
        raise InvalidInput(
            _("A rule is about single orders: show:, metric: and group: mean nothing here."), field="text"
        )
    if query.role_view not in (None, "sales", "agent"):
        raise InvalidInput(_("A rule is about what the shop sells: view: can be sales or agent."), field="text")


def preview(actor: Actor, query: OrderQuery, beside: Beside) -> Preview:
    """How many orders a rule would match now."""
    days = None
    if beside.buyer_orders is not None and query.time is None:
        days = COUNTED_DAYS
        query = query.replace(time=preset_range(f"{days}d", number.now(), "placed"))
    return Preview(matching.count(actor.scope, query, beside), days)


def save(
    actor: Actor, wanted: Wanted, rule: TagRule | None = None, *, enabled: bool | None = None, preset: str = ""
) -> TagRule:
    """Makes a rule, or changes one. Raises Forbidden, InvalidInput, InvalidQuery with what is wrong, Conflict."""
    actor.require(Permission.MANAGE)
    shop = shop_of(actor)
    name = wanted.name.replace("\x00", "").strip()
    if not 0 < len(name) <= NAME_LENGTH:
        raise InvalidInput(_("Give it a name of at most %(most)d characters.") % {"most": NAME_LENGTH}, field="name")
    query = read(actor, wanted.text)
    tag_name = check_tag(wanted.tag)
    _sane(wanted.beside, query)
    with transaction.atomic():
        # One rule of a shop is saved at a time: a ring could otherwise be closed from two sides.
        others = list(
            TagRule.objects.select_for_update(of=("self",)).filter(merchant_id=shop.merchant_id).select_related("tag")
        )
        if rule is None and len(others) >= MOST:
            raise Conflict(_("A shop may have %(most)d rules.") % {"most": MOST}, hint=_("Delete one first."))
        tag = tag_named(shop, tag_name)
        rule = rule or TagRule(merchant_id=shop.merchant_id, home=shop.home, enabled=False, preset=preset)
        rule.tag, rule.name, rule.query, rule.removes, rule.error = tag, name, query.to_dict(), wanted.removes, ""
        rule.buyer_orders, rule.buyer_days = wanted.beside.buyer_orders, wanted.beside.buyer_days
        rule.overdue = wanted.beside.overdue
        if enabled is not None:
            rule.since = timezone.now() if enabled and not rule.enabled else rule.since
            rule.enabled = enabled
        refuse_ring([*(Ruling.of(one) for one in others if one.pk != rule.pk), _draft(rule)])
        try:
            with transaction.atomic():
                rule.save()
        except IntegrityError as error:
            raise Conflict(_("This ready-made rule is there already.")) from error
    return rule


def refuse_ring(rulings: list[Ruling]) -> None:
    """Raises InvalidInput when rules ask about one another's tags in a ring."""
    if found := ring(rulings):
        raise InvalidInput(
            _("A rule cannot ask about its own tag, nor rules about one another's in a ring: %(tags)s.")
            % {"tags": " → ".join(reversed(found))},
            field="text",
        )


def switch(actor: Actor, rule: TagRule, *, on: bool) -> None:
    """Switches a rule on or off; what it tagged stays tagged. Raises Forbidden."""
    actor.require(Permission.MANAGE)
    changes = {"enabled": on, "error": "", **({"since": timezone.now()} if on else {})}
    TagRule.objects.filter(pk=rule.pk).exclude(enabled=on).update(**changes)


def delete(actor: Actor, rule: TagRule) -> None:
    """Removes a rule; what it tagged stays tagged. Raises Forbidden."""
    actor.require(Permission.MANAGE)
    rule.delete()


def tag_named(shop: Shop, name: str, colour: str = "grey") -> Tag:
    """The shop's tag of this name, made when it is new. Raises Conflict while it is being merged or deleted."""
    tag, _made = Tag.objects.get_or_create(
        merchant_id=shop.merchant_id,
        name_key=name.casefold(),
        defaults={"name": name, "home": shop.home, "colour": colour},
    )
    if tag.leaving:
        raise Conflict(_("This tag is just being deleted."), hint=_("Try again in a moment."))
    return tag


def renamed(query: Mapping[str, Any], before: str, after: str) -> dict[str, Any] | None:
    """A stored query with a tag's name replaced; None when it does not ask about the tag."""
    old = OrderQuery.from_dict(query)
    key = before.casefold()
    if key not in tags_in(old):
        return None

    def turned(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(after if name.casefold() == key else name for name in names))

    exclude = old.exclude or Exclude()
    changed = {name: getattr(exclude, name) for name in Exclude.__struct_fields__} | {"tag": turned(exclude.tag)}
    return old.replace(tag=turned(old.tag), exclude=Exclude(**changed) if old.exclude else None).to_dict()


def _draft(rule: TagRule) -> Ruling:
    rule.pk = rule.pk or None
    beside = Beside(rule.buyer_orders, rule.buyer_days, rule.overdue)
    from chadan.orders.tags import TagRef

    return Ruling(
        rule.pk or 0, TagRef(rule.tag_id, rule.tag.name), OrderQuery.from_dict(rule.query), beside, rule.removes
    )


def _sane(beside: Beside, query: OrderQuery) -> None:
    if beside.buyer_orders is not None and not 1 <= beside.buyer_orders <= MOST_ORDERS:
        raise InvalidInput(_("A number of orders from 1 to %(most)d.") % {"most": MOST_ORDERS}, field="buyer_orders")
    if beside.buyer_days is not None and not 1 <= beside.buyer_days <= MOST_DAYS:
        raise InvalidInput(_("A number of days from 1 to %(most)d.") % {"most": MOST_DAYS}, field="buyer_days")
    if beside.buyer_days is not None and beside.buyer_orders is None:
        raise InvalidInput(_("Say how many orders in so many days."), field="buyer_orders")
    if query == OrderQuery() and beside.nothing:
        raise InvalidInput(_("This rule would tag every order."), hint=_("Say which orders it is about."), field="text")


class ReadyMade:
    """The rules a shop switches on with one button. One button may make several: any of them tags."""

    REPEAT, ANOMALY, AGENT = "repeat", "anomaly", "agent"
    TITLES: Mapping[str, Any] = {
        REPEAT: gettext_lazy("Buyers who come back"),
        ANOMALY: gettext_lazy("Orders in trouble"),
        AGENT: gettext_lazy("Sold through agents"),
    }
    EXPLAINED: Mapping[str, Any] = {
        REPEAT: gettext_lazy(
            "Tags an order when its buyer has completed 3 or more orders in your shop within 90 days."
        ),
        ANOMALY: gettext_lazy(
            "Tags what failed, is in after-sales, or is paid and past the time its product promises."
        ),
        AGENT: gettext_lazy("Tags every order that an agent resold."),
    }


def ready_made(kind: str) -> list[tuple[str, str, Wanted]]:
    """(preset, colour, rule) of each rule behind a button. Raises NotFound for a button nobody knows."""
    title = str(ReadyMade.TITLES.get(kind, ""))
    tags = {
        ReadyMade.REPEAT: _("Returning buyer"),
        ReadyMade.ANOMALY: _("Trouble"),
        ReadyMade.AGENT: _("Agent purchase"),
    }
    if not title:
        raise NotFound(_("There is no such rule."))
    tag = tags[kind]
    if kind == ReadyMade.REPEAT:
        return [(kind, "amber", Wanted(title, tag, "", Beside(buyer_orders=3, buyer_days=90)))]
    if kind == ReadyMade.AGENT:
        return [(kind, "indigo", Wanted(title, tag, "view:agent"))]
    late = _("%(title)s: late") % {"title": title}
    return [
        (kind, "red", Wanted(title, tag, "status:failed|after_sale")),
        (f"{kind}-late", "red", Wanted(late, tag, "", Beside(overdue=True))),
    ]


def switch_on_ready_made(actor: Actor, kind: str) -> list[TagRule]:
    """Makes the ready-made rules and switches them on; those that are there already are switched on again."""
    actor.require(Permission.MANAGE)
    shop = shop_of(actor)
    made = []
    with transaction.atomic():
        for preset, colour, wanted in ready_made(kind):
            rule = TagRule.objects.filter(merchant_id=shop.merchant_id, preset=preset).select_related("tag").first()
            if rule is None:
                tag_named(shop, wanted.tag, colour)
                rule = save(actor, wanted, enabled=True, preset=preset)
            else:
                switch(actor, rule, on=True)
            made.append(rule)
    return made
