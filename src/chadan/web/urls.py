"""Addresses of the room's own pages: the component gallery and the visitor's preferences."""

from __future__ import annotations

from django.urls import path

from chadan.web import kit
from chadan.web.preferences import preferences

app_name = "web"
urlpatterns = [
    path("preferences", preferences, name="preferences"),
    path("_kit", kit.gallery, name="kit"),
    path("_kit/<slug:page>", kit.sample, name="kit-page"),
]
