"""Addresses of the search history and the command palette."""

from __future__ import annotations

from django.urls import path

from chadan.recall import pages

app_name = "recall"
urlpatterns = [
    path("recall", pages.history, name="history"),
    path("recall/forget", pages.forget, name="forget"),
    path("palette", pages.palette, name="palette"),
    path("palette/items", pages.palette_items, name="palette-items"),
]
