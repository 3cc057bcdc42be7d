"""Addresses of the payments room."""

from __future__ import annotations

from django.urls import URLPattern, path

from chadan.payments import callbacks, channel_pages, confirm_page, paying, refund_pages
from chadan.web.orders.areas import MERCHANT, OPERATOR, Area

app_name = "payments"


def _staff(area: Area) -> list[URLPattern]:
    base, given = area.path.lstrip("/"), {"area": area}
    return [
        path(f"{base}/<str:order_no>/refund", refund_pages.refund, given, name=f"{area.kind}-refund"),
        path(
            f"{base}/<str:order_no>/confirm-payment", confirm_page.confirm_payment, given, name=f"{area.kind}-confirm"
        ),
    ]


urlpatterns: list[URLPattern] = [
    path("pay/notify/<int:channel_id>/", callbacks.notify, name="notify"),
    path("pay/return/<str:order_no>/<int:seq>/", paying.returned, name="returned"),
    path("pay/<str:order_no>/", paying.choose, name="choose"),
    path("pay/<str:order_no>/start", paying.start, name="start"),
    path("pay/<str:order_no>/<int:seq>/", paying.wait, name="wait"),
    path("pay/<str:order_no>/<int:seq>/asked", paying.asked, name="asked"),
    path("m/channels", channel_pages.listed, name="channels"),
    path("m/channels/new", channel_pages.new, name="channel-new"),
    path("m/channels/<int:channel_id>", channel_pages.edit, name="channel"),
    path("m/channels/<int:channel_id>/state", channel_pages.state, name="channel-state"),
    path("m/refunds", refund_pages.queue, name="refunds"),
    path("m/refunds/<str:order_no>/<int:seq>/retry", refund_pages.retry, name="refund-retry"),
    path("m/refunds/<str:order_no>/<int:seq>/done", refund_pages.done, name="refund-done"),
    *_staff(MERCHANT),
    *_staff(OPERATOR),
]
