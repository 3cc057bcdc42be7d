"""Addresses of the exports room."""

from __future__ import annotations

from django.urls import path

from chadan.exports import views

app_name = "exports"
urlpatterns = [
    path("exports", views.exports, name="list"),
    path("exports/", views.exports),
    path("exports/new", views.new, name="new"),
    path("exports/<uuid:export_id>", views.export, name="export"),
    path("exports/<uuid:export_id>/download", views.download, name="download"),
    path("exports/<uuid:export_id>/cancel", views.cancel, name="cancel"),
    path("exports/<uuid:export_id>/retry", views.retry, name="retry"),
]
