"""Addresses of saved views: under each order list."""

from __future__ import annotations

from django.urls import path

from chadan.saved_views import pages
from chadan.web.orders.areas import AREAS

app_name = "saved_views"
urlpatterns = [
    pattern
    for kind, area in AREAS.items()
    for pattern in (
        path(f"{area.path.lstrip('/')}/views", pages.views, {"area": area}, name=f"{kind}-views"),
        path(f"{area.path.lstrip('/')}/views/<int:view_id>", pages.change, {"area": area}, name=f"{kind}-view"),
    )
]
