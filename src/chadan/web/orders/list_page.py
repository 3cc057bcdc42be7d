"""The order list: the same page for buyers, merchants, agents and the platform operator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from chadan.accounts.actors import Actor, Permission
from chadan.asking.answering import listed
from chadan.batches.actions import KINDS, open_to
from chadan.catalog.models import Tag
from chadan.orders import number, remarks
from chadan.orders.states import Category, OrderStatus, PaymentMethod
from chadan.platform.errors import InvalidQuery
from chadan.platform.scope import Matter
from chadan.recall import on_list as recalled
from chadan.recall import services as recall
from chadan.saved_views import on_list
from chadan.search import readings, service
from chadan.search.chips import chips
from chadan.search.order_query import IdMatch, OrderQuery, Sort
from chadan.search.rows import OrderRow
from chadan.web.live import live_for
from chadan.web.orders import columns
from chadan.web.orders.areas import TITLES, Area, in_area
from chadan.web.orders.cells import PLACEHOLDER, row_writer
from chadan.web.orders.question import understanding_of
from chadan.web.orders.state import DEFAULT_DATE, SIZES, ListState

S = OrderStatus
_TABS = (
    (gettext_lazy("All"), ()),
    (gettext_lazy("Unpaid"), (S.PENDING_PAYMENT,)),
    (gettext_lazy("To deliver"), (S.PAID, S.PROCESSING)),
    (gettext_lazy("Delivered"), (S.DELIVERED,)),
    (gettext_lazy("Completed"), (S.COMPLETED,)),
    (gettext_lazy("After-sales"), (S.AFTER_SALE,)),
    (gettext_lazy("Refunded"), (S.REFUNDED,)),
    (gettext_lazy("Failed"), (S.FAILED,)),
    (gettext_lazy("Cancelled"), (S.CANCELLED,)),
)
_PRESETS = (
    ("today", gettext_lazy("Today")),
    ("7d", gettext_lazy("Last 7 days")),
    ("30d", gettext_lazy("Last 30 days")),
    ("all", gettext_lazy("All time")),
)
_SORTABLE = {"amount", "placed_at", "paid_at"}


@dataclass(frozen=True, slots=True)
class Head:
    """A column's heading, as the table component takes it."""

    key: str
    label: str
    kind: str
    sort_url: str = ""
    sorted: str = ""


@require_safe
@in_area
def orders(request: HttpRequest, area: Area, actor: Actor) -> HttpResponse:
    """The list an address names; an address that cannot be understood says so above the default list."""
    opened = on_list.opening(request.GET, area, actor)
    try:
        state = ListState.read(opened.parameters, area, actor)
        error = opened.error
    except InvalidQuery as problem:
        state = ListState.read(_only_view(request), area, actor)
        error = str(problem)
    if state.jump is not None and _exists(actor, state.jump):
        link = state.order_link(state.jump)
        # htmx would follow a redirect by itself, look for a list in the order's page, and show nothing.
        return HttpResponseClientRedirect(link) if request.htmx else HttpResponseRedirect(link)  # type: ignore[attr-defined]
    state = replace(state, opens=DEFAULT_DATE if opened.default else "")
    response = _list(request, area, actor, state, error, opened)
    if request.GET.get("q") and not error:
        recall.remember(actor, state.q)
    if cookie := columns.remember(request, area):
        response.set_cookie(*cookie, max_age=365 * 86_400, samesite="Lax", httponly=True, secure=request.is_secure())
    return response


def _only_view(request: HttpRequest) -> Any:
    kept = request.GET.copy()
    for key in [key for key in kept if key not in ("view", "column", "size")]:
        del kept[key]
    return kept


def _exists(actor: Actor, order_no: int) -> bool:
    query = OrderQuery(order_no=IdMatch(equals=(number.text(order_no),)))
    return any(
        service.find_orders(actor.scope, query, view=view, limit=1).rows
        for view in ((None, "purchases") if actor.is_agent else (None,))
    )


def _list(  # noqa: PLR0917 - what the address said, in three parts
    request: HttpRequest, area: Area, actor: Actor, state: ListState, error: str, opened: on_list.Opening
) -> HttpResponse:
    live = live_for(request, actor)
    cursor = request.GET.get("cursor") or None
    queries = [state.query, *state.others]
    try:
        found = readings.find(actor.scope, queries, view=state.view, cursor=cursor, limit=state.size)
    except InvalidQuery as problem:
        error = error or str(problem)
        found = readings.find(actor.scope, queries, view=state.view, limit=state.size)
    state, page = state.reading(found.query), found.page
    everything = columns.available(area, actor, state.view)
    drawing = row_context(request, area, actor, state, page.rows)
    shown = {head.key for head in drawing["heads"]}
    counts = service.status_counts(actor.scope, state.query, view=state.view)
    total = service.matching(actor.scope, state.query, counts, view=state.view)
    known_tags = remarks.tags_of(actor) if actor.scope.may_ask(Matter.TAG, state.view) else []
    context = {
        "title": _title(area, state),
        "area": area,
        "state": state,
        "page": page,
        "complaint": " ".join((*opened.hidden, state.complaint(found=bool(page.rows)))).strip(),
        "offers": recalled.offers(area, actor, state.view),
        "saved": on_list.bar(area, actor, state, opened),
        "error": error,
        "understood": understanding_of(actor, state),
        "live": live,
        "rows_url": f"{area.path}/rows?{state.text()}",
        **drawing,
        "chooser": [
            {"key": c.key, "label": c.label, "shown": c.key in shown, "locked": c.key == "order_no"} for c in everything
        ],
        "tabs": _tabs(state, counts),
        "shown_text": _("%(rows)d of %(total)s orders") % {"rows": len(page.rows), "total": _about(total)},
        "total": total.total,
        "total_text": _about(total),
        "chips": [
            {
                "text": chip.text,
                "key": chip.label,
                "remove_url": state.link(chip.without),
                "excluded": chip.key.startswith("exclude"),
            }
            for chip in chips(state.question, now=number.now())
        ],
        "presets": _presets(state),
        "custom": _custom(state),
        "older": _older(actor, state) if not page.rows and not cursor else None,
        "window": service.looks_back(state.query),
        "known_tags": known_tags,
        "tag_choices": [(tag.name, tag.name) for tag in known_tags],
        "previous_url": state.link(cursor=page.previous_cursor) if page.previous_cursor else None,
        "next_url": state.link(cursor=page.next_cursor) if page.next_cursor else None,
        "sizes": [(size, state.link(size=str(size)), size == state.size) for size in SIZES],
        "categories": list(Category),
        "methods": list(PaymentMethod),
        "filter_count": len(listed(state.written.filters).replace(time=None).to_dict()),
    }
    return render(request, "orders/list.html", context)


def row_context(
    request: HttpRequest, area: Area, actor: Actor, state: ListState, rows: list[OrderRow]
) -> dict[str, Any]:
    """What `orders/row_parts.html` needs to draw rows of this list, and whether they have tick boxes."""
    shown = columns.chosen(request, area, columns.available(area, actor, state.view), state.view, state.columns)
    return {
        "state": state,
        "heads": [_head(column, state) for column in shown],
        "tags": _tags(actor, rows) if any(column.key == "tags" for column in shown) else {},
        "row_writer": row_writer,
        "placeholder": PLACEHOLDER,
        "statuses": list(OrderStatus),
        "may_export": actor.may(Permission.EXPORT),
        "batch_actions": batch_actions(area, actor, state),
    }


def batch_actions(area: Area, actor: Actor, state: ListState) -> list[tuple[str, str]]:
    """(action, its name) of what may be done to many orders of this list; nothing to what is another shop's sale."""
    if area.kind != "merchant" or state.view == "purchases":
        return []
    return [(action.value, str(KINDS[action].label)) for action in open_to(actor)]


def _title(area: Area, state: ListState) -> str:
    views = dict(area.views)
    return str(views[state.view]) if state.view in views else str(TITLES[area.kind])


def _head(column: columns.Column, state: ListState) -> Head:
    kind = {"order_no": "key", "product": "main", "status": "status", "again": "actions"}.get(column.key, "")
    kind = kind or ("money" if column.numeric else "time" if column.key.endswith("_at") else "text")
    if column.sort not in _SORTABLE:
        return Head(column.key, "" if kind == "actions" else str(column.label), kind)
    sort = state.query.sort or Sort(by="placed_at", dir="desc")
    current = sort.by == column.sort
    turned = "asc" if current and sort.dir == "desc" else "desc"
    link = state.link(sort=("-" if turned == "desc" else "") + column.sort)
    return Head(column.key, str(column.label), kind, link, f"{sort.dir}ending" if current else "")


def _tabs(state: ListState, counts: dict[OrderStatus, service.Count]) -> list[dict[str, Any]]:
    tabs = []
    for label, words in _TABS:
        held = [counts[word] for word in words or tuple(OrderStatus)]
        tabs.append(
            {
                "text": label,
                "url": state.link(state.question.replace(status=words)) if state.q else _status_link(state, words),
                "active": set(state.query.status) == set(words),
                "count": _count_text(held),
            }
        )
    return tabs


def _status_link(state: ListState, words: tuple[OrderStatus, ...]) -> str:
    return state.link(state.filters.replace(status=words))


def _count_text(held: list[service.Count]) -> str | int:
    total = sum(count.total for count in held)
    if all(count.exact for count in held):
        return total
    return f"{min(total, 1000) if len(held) == 1 else total // 1000 * 1000:,}+"


def _about(count: service.Count) -> str:
    return count.shown if count.exact else _("about %(n)s") % {"n": count.shown}


def _presets(state: ListState) -> list[dict[str, Any]]:
    return [
        {
            "text": label,
            "url": state.window(key),
            "active": state.date == key or (key == "all" and state.query.time is None),
        }
        for key, label in _PRESETS
    ]


def _custom(state: ListState) -> dict[str, Any]:
    state = state.written
    time = state.filters.time if state.date not in {key for key, _label in _PRESETS} else None
    start = time.start.date().isoformat() if time and time.start else ""
    end = (time.end - timedelta(seconds=1)).date().isoformat() if time and time.end else ""
    return {
        "action": state.area.path,
        "active": bool(time),
        "text": f"{start} – {end}" if time else "",
        "from_name": "from",
        "to_name": "to",
        "from_value": start,
        "to_value": end,
        "hidden": state.hidden("from", "to", "date", "time"),
    }


def _older(actor: Actor, state: ListState) -> dict[str, Any] | None:
    older = service.older_matches(actor.scope, state.query, view=state.view)
    if older is None:
        return None
    return {"count": _about(service.Count(older.total, older.exact)), "url": state.window("all")}


def _tags(actor: Actor, rows: list[Any]) -> dict[int, Tag]:
    wanted = {tag for row in rows for tag in row.tags or ()}
    found = Tag.objects.filter(pk__in=wanted)
    if actor.merchant_id is not None:
        found = found.filter(merchant_id=actor.merchant_id)
    return {tag.pk: tag for tag in found}
