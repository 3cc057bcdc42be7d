"""Addresses of the delivery room."""

from __future__ import annotations

from django.urls import URLPattern, path

from chadan.delivery import supplier_callbacks

app_name = "delivery"
urlpatterns: list[URLPattern] = [
    path("supply/notify/<int:supplier_id>/", supplier_callbacks.notify, name="supplier-notify"),
]
