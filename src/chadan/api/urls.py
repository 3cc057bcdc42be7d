"""Addresses under /api/."""

from __future__ import annotations

from django.urls import path

from chadan.api.docs import docs
from chadan.api.v1 import api, openapi_json

urlpatterns = [
    path("docs", docs, name="api-docs"),
    path("v1/openapi.json", openapi_json, name="api-openapi"),
    path("v1/", api.urls),
]
