"""Addresses of the batches room."""

from __future__ import annotations

from django.urls import path

from chadan.batches import views

app_name = "batches"
urlpatterns = [
    path("m/orders/batch", views.start, name="start"),
    path("m/batches", views.batches, name="list"),
    path("m/batches/<uuid:batch_id>", views.batch, name="batch"),
    path("m/batches/<uuid:batch_id>/confirm", views.confirm, name="confirm"),
    path("m/batches/<uuid:batch_id>/cancel", views.cancel, name="cancel"),
    path("m/batches/<uuid:batch_id>/undo", views.undo, name="undo"),
    path("m/batches/<uuid:batch_id>/resume", views.resume, name="resume"),
    path("m/batches/<uuid:batch_id>/results.csv", views.results, name="results"),
]
