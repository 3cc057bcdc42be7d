"""Addresses of the ops room."""

from __future__ import annotations

from django.urls import path

from chadan.ops import health_page, stuck_page
from chadan.web.orders.areas import OPERATOR

app_name = "ops"
urlpatterns = [
    path("ops/stuck", stuck_page.stuck_things, {"area": OPERATOR}, name="stuck"),
    path("ops/health", health_page.event_log, {"area": OPERATOR}, name="health"),
]
