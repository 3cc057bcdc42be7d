from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """The orders room."""

    name = "chadan.orders"
    label = "orders"
