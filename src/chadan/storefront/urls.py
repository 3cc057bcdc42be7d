"""Addresses of the storefront room: the shop, its checkout and confirmation, guest lookup, and the merchant's products."""

from __future__ import annotations

from django.urls import URLPattern, path

from chadan.storefront import lookup_page, manage, order_page, shop

app_name = "storefront"
urlpatterns: list[URLPattern] = [
    path("s/<slug:shop>", shop.products, name="shop"),
    path("s/<slug:shop>/p/<int:product_id>", shop.product, name="product"),
    path("s/<slug:shop>/order/<str:order_no>", order_page.order, name="order"),
    path("s/<slug:shop>/order/<str:order_no>/reveal", order_page.reveal_cards, name="reveal"),
    path("s/<slug:shop>/order/<str:order_no>/mail", order_page.mail, name="mail"),
    path("again/<str:order_no>", order_page.again, name="again"),
    path("lookup", lookup_page.lookup, name="lookup"),
    path("m/shop", manage.my_shop, name="my-shop"),
    path("m/products", manage.products, name="products"),
    path("m/products/new", manage.new, name="product-new"),
    path("m/products/levels", manage.levels, name="levels"),
    path("m/products/<int:product_id>", manage.edit, name="product-edit"),
    path("m/products/<int:product_id>/state", manage.state, name="product-state"),
]
