"""Addresses of the API key pages."""

from __future__ import annotations

from django.urls import path

from chadan.api import pages

urlpatterns = [
    path("keys", pages.key_list, name="keys"),
    path("keys/<int:key_id>/revoke", pages.revoke, name="key-revoke"),
]
