"""Addresses of the delivery room."""

from __future__ import annotations

from django.urls import URLPattern, path

from chadan.delivery import agent_pages, supplier_callbacks, supplier_pages, views

app_name = "delivery"
urlpatterns: list[URLPattern] = [
    path("supply/notify/<int:supplier_id>/", supplier_callbacks.notify, name="supplier-notify"),
    path("m/suppliers", supplier_pages.listed, name="suppliers"),
    path("m/suppliers/new", supplier_pages.new, name="supplier-new"),
    path("m/suppliers/<int:supplier_id>", supplier_pages.edit, name="supplier"),
    path("m/suppliers/<int:supplier_id>/state", supplier_pages.state, name="supplier-state"),
    path("m/suppliers/<int:supplier_id>/check", supplier_pages.check, name="supplier-check"),
    path("m/suppliers/<int:supplier_id>/products", supplier_pages.add_source, name="supplier-source-add"),
    path(
        "m/suppliers/<int:supplier_id>/products/<int:source_id>/remove",
        supplier_pages.drop_source,
        name="supplier-source-drop",
    ),
    path("m/suppliers/purchases/<str:order_no>/<int:seq>", supplier_pages.decide, name="purchase-decide"),
    path("m/agents", agent_pages.listed, name="agents"),
    path("m/agents/add", agent_pages.admit, name="agent-admit"),
    path("m/agents/secret", agent_pages.secret, name="webhook-secret"),
    path("m/agents/resell/<int:product_id>", agent_pages.resell, name="resell"),
    path("m/agents/<int:reseller_id>", agent_pages.change, name="agent-change"),
    path("m/agents/<int:reseller_id>/top-up", agent_pages.top_up, name="agent-top-up"),
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
