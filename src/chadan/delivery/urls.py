"""Addresses of the delivery room."""

from __future__ import annotations

from django.urls import URLPattern, path

from chadan.delivery import supplier_callbacks, views

app_name = "delivery"
urlpatterns: list[URLPattern] = [
    path("supply/notify/<int:supplier_id>/", supplier_callbacks.notify, name="supplier-notify"),
    path("m/stock", views.shelves, name="stock"),
    path("m/stock/find", views.find, name="find"),
    path("m/stock/cards/<int:card_id>/reveal", views.reveal, name="reveal"),
    path("m/stock/<int:product_id>", views.shelf, name="shelf"),
    path("m/stock/<int:product_id>/withdraw", views.withdraw, name="withdraw"),
    path("m/deliveries", views.deliveries, name="deliveries"),
    path("m/deliveries/<str:order_no>", views.delivery, name="delivery"),
    path("m/deliveries/<str:order_no>/deliver", views.deliver, name="deliver"),
    path("m/deliveries/<str:order_no>/fail", views.fail, name="fail"),
    path("m/deliveries/<str:order_no>/retry", views.retry, name="retry"),
]
