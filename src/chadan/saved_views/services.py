"""Saved views: who sees which, and what may be done with them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _

from chadan.accounts.actors import Actor, Permission
from chadan.platform.errors import Conflict, Forbidden, InvalidInput, NotFound
from chadan.saved_views.models import DefaultView, SavedView
from chadan.search.order_query import OrderQuery
from chadan.search.permitted import refuse_hidden
from chadan.search.written import PRESETS

NAME_LENGTH = 60
MOST = 100
"""Views a person, or a shop, may have."""
SIDES = {"merchant": ("sales", "agent", "purchases"), "buyer": ("",), "operator": ("",)}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a view holds: the filter, the window that moves, the typed text, and how the list looks."""

    filters: OrderQuery
    side: str = ""
    date: str = ""
    typed: str = ""
    columns: tuple[str, ...] = ()
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """The views an actor sees in a list, pinned ones first, and which one each side of the list opens with."""

    views: list[SavedView]
    defaults: dict[str, int]

    def named(self, view_id: int | None) -> SavedView | None:
        """The view of this id, if it is one of these."""
        return next((view for view in self.views if view.pk == view_id), None)

    def default(self, side: str) -> SavedView | None:
        """The view that a bare visit to this side opens."""
        return self.named(self.defaults.get(side))

    def pinned(self, side: str) -> list[SavedView]:
        """The views above this side of the list."""
        return [view for view in self.views if view.pinned and view.side == side]


def held(actor: Actor) -> Held:
    """The views the actor sees: the own ones, and those the shop shares. Two statements."""
    views = list(_visible(actor).order_by("-pinned", "-shared", "position", "pk"))
    if not views:
        return Held([], {})
    defaults = DefaultView.objects.filter(_in_shop(actor), user_id=actor.user_id, area=actor.kind)
    return Held(views, dict(defaults.values_list("side", "view_id")))


def view_of(actor: Actor, view_id: int) -> SavedView:
    """A view the actor sees. Raises NotFound."""
    view = _visible(actor).filter(pk=view_id).first()
    if view is None:
        raise NotFound(_("There is no such view."))
    return view


def view_named(actor: Actor, name: str) -> SavedView:
    """The actor's own view of this name, else the shared one. Raises NotFound."""
    found = _visible(actor).filter(name_key=name.strip().casefold()).order_by("shared", "pk").first()
    if found is None:
        raise NotFound(_("There is no such view."))
    return found


def may_share(actor: Actor) -> bool:
    """Whether the actor makes and changes what the shop shares."""
    return actor.merchant_id is not None and actor.may(Permission.MANAGE)


def may_change(actor: Actor, view: SavedView) -> bool:
    """Whether the actor may change this view: a shared one is the shop's."""
    return may_share(actor) if view.shared else view.user_id == actor.user_id


def save(
    actor: Actor, name: str, shown: Shown, *, shared: bool = False, pinned: bool = False, default: bool = False
) -> SavedView:
    """A new view. Raises Forbidden (sharing, a filter the actor may not ask), InvalidInput, Conflict for a name that is there."""
    if shared:
        _require_share(actor)
    checked(actor, shown)
    with transaction.atomic():
        if _owned(actor, shared=shared).count() >= MOST:
            raise Conflict(_("There may be %(most)d views.") % {"most": MOST}, hint=_("Delete one first."))
        view = SavedView(
            user_id=actor.user_id,
            area=actor.kind,
            merchant_id=actor.merchant_id,
            home=actor.home,
            shared=shared,
            name=check_name(name),
            pinned=pinned,
            position=_last(actor, shared=shared) + 1,
        )
        _fill(view, shown)
        _write(view)
        if default:
            set_default(actor, view, on=True)
    return view


def update(
    actor: Actor,
    view: SavedView,
    *,
    name: str | None = None,
    shown: Shown | None = None,
    shared: bool | None = None,
    pinned: bool | None = None,
) -> SavedView:
    """Changes what is given. Raises Forbidden, InvalidInput, Conflict."""
    _require_change(actor, view)
    if shared is not None and shared != view.shared:
        _require_share(actor)
        view.shared = shared
        if not shared:
            view.user_id = actor.user_id  # from now on it is the own one of who took it back
        view.position = _last(actor, shared=shared) + 1
    if shown is not None:
        checked(actor, shown)
        _fill(view, shown)
    view.name = check_name(name) if name is not None else view.name
    view.pinned = view.pinned if pinned is None else pinned
    with transaction.atomic():
        _write(view)
        if not view.shared:  # nobody else sees it any more, so nobody's list opens with it
            view.defaults.exclude(user_id=view.user_id).delete()
        view.defaults.exclude(side=view.side).delete()
    return view


def move(actor: Actor, view: SavedView, *, up: bool) -> None:
    """Moves a pinned view one place towards the start (or the end) of its group. Raises Forbidden."""
    _require_change(actor, view)
    with transaction.atomic():
        group = list(
            _owned(actor, shared=view.shared).select_for_update(of=("self",)).order_by("-pinned", "position", "pk")
        )
        beside = [one for one in group if one.pinned == view.pinned and one.side == view.side]
        place = next(index for index, one in enumerate(beside) if one.pk == view.pk)
        other = place - 1 if up else place + 1
        if 0 <= other < len(beside):
            order = [one.pk for one in group]
            first, second = order.index(beside[place].pk), order.index(beside[other].pk)
            order[first], order[second] = order[second], order[first]
            for position, pk in enumerate(order):
                SavedView.objects.filter(pk=pk).exclude(position=position).update(position=position)


def set_default(actor: Actor, view: SavedView, *, on: bool) -> None:
    """Lets the actor's own visits to this side of the list open with the view, or with the last 30 days again."""
    if on:
        DefaultView.objects.update_or_create(
            user_id=actor.user_id, area=actor.kind, merchant=view.merchant, side=view.side, defaults={"view": view}
        )
    else:
        DefaultView.objects.filter(_in_shop(actor), user_id=actor.user_id, view=view).delete()


def delete(actor: Actor, view: SavedView) -> None:
    """Removes a view. Raises Forbidden."""
    _require_change(actor, view)
    view.delete()


def checked(actor: Actor, shown: Shown) -> None:
    """Raises Forbidden or InvalidInput when the actor cannot save this."""
    if shown.side not in SIDES[actor.kind] or (shown.side == "purchases" and not actor.is_agent):
        raise InvalidInput(_("This list has no such side."), field="view")
    if shown.date and shown.date not in PRESETS and not (shown.date[:-1].isdecimal() and shown.date.endswith("d")):
        raise InvalidInput(_("There is no such window."), field="date")
    if len(shown.typed) > 2000:
        raise InvalidInput(_("That is too long: at most %(most)d characters.") % {"most": 2000}, field="q")
    refuse_hidden(actor.scope, shown.filters, shown.side or None)


def check_name(name: str) -> str:
    """The name as it is kept. Raises InvalidInput."""
    name = name.replace("\x00", "").strip()
    if not 0 < len(name) <= NAME_LENGTH:
        raise InvalidInput(_("Give it a name of at most %(most)d characters.") % {"most": NAME_LENGTH}, field="name")
    return name


def _fill(view: SavedView, shown: Shown) -> None:
    view.filters = shown.filters.replace(intent="list", metric="amount", group_by=None, role_view=None).to_dict()
    view.side, view.date, view.typed = shown.side, shown.date, shown.typed
    view.columns, view.size = list(shown.columns), shown.size


def _write(view: SavedView) -> None:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        raise Conflict(_("There is a view of this name already."), field="name") from error


def _visible(actor: Actor) -> QuerySet[SavedView]:
    own = Q(user_id=actor.user_id, shared=False)
    shared = Q(shared=True) if actor.merchant_id is not None else Q(pk=None)
    return SavedView.objects.filter(_in_shop(actor), own | shared, area=actor.kind)


def _in_shop(actor: Actor) -> Q:
    """Of the actor's shop; of none for a buyer and the platform."""
    return Q(merchant=None) if actor.merchant_id is None else Q(merchant_id=actor.merchant_id)


def _owned(actor: Actor, *, shared: bool) -> QuerySet[SavedView]:
    """The shop's shared views, or the actor's own."""
    found = SavedView.objects.filter(_in_shop(actor), area=actor.kind, shared=shared)
    return found if shared else found.filter(user_id=actor.user_id)


def _last(actor: Actor, *, shared: bool) -> int:
    return int(_owned(actor, shared=shared).aggregate(last=Max("position"))["last"] or 0)


def _require_share(actor: Actor) -> None:
    if not may_share(actor):
        raise Forbidden(_("Your role does not allow this."), hint=_("Ask an owner of the shop."))


def _require_change(actor: Actor, view: SavedView) -> None:
    if not may_change(actor, view):
        raise Forbidden(_("Your role does not allow this."), hint=_("Save a view of your own instead."))
