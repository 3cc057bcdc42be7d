"""Order pages: the same views under /orders, /m/orders and /ops/orders."""

from __future__ import annotations

from django.urls import URLPattern, path

from chadan.web.live import POLL_PATH, changes
from chadan.web.orders import actions, detail_page, list_page, live_rows
from chadan.web.orders.areas import AREAS

app_name = "orders"


def _area(kind: str) -> list[URLPattern]:
    area = AREAS[kind]
    base = area.path.lstrip("/")
    given = {"area": area}
    return [
        path(base, list_page.orders, given, name=f"{kind}-list"),
        path(f"{base}/rows", live_rows.rows, given, name=f"{kind}-rows"),
        path(f"{base}/<str:order_no>", detail_page.order, given, name=f"{kind}-order"),
        path(f"{base}/<str:order_no>/receipt", detail_page.receipt, given, name=f"{kind}-receipt"),
        path(f"{base}/<str:order_no>/reveal", detail_page.show_secret, given, name=f"{kind}-reveal"),
        path(f"{base}/<str:order_no>/notes", detail_page.add_note, given, name=f"{kind}-note"),
        path(f"{base}/<str:order_no>/tags", detail_page.add_tag, given, name=f"{kind}-tag"),
        path(f"{base}/<str:order_no>/tags/<int:tag_id>/remove", detail_page.remove_tag, given, name=f"{kind}-untag"),
        path(f"{base}/<str:order_no>/complete", actions.complete, given, name=f"{kind}-complete"),
        path(f"{base}/<str:order_no>/cancel", actions.cancel, given, name=f"{kind}-cancel"),
        path(f"{base}/<str:order_no>/after-sale", actions.open_case, given, name=f"{kind}-open-case"),
        path(f"{base}/<str:order_no>/after-sale/close", actions.close_case, given, name=f"{kind}-close-case"),
    ]


urlpatterns = [path(POLL_PATH.lstrip("/"), changes, name="changes")]
urlpatterns += [pattern for kind in AREAS for pattern in _area(kind)]
