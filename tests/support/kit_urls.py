"""The gallery's addresses, for tests.support.kit_server."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("chadan.web.urls"))]
