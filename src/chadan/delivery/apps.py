"""Django's record of the room."""

from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    """The room's name."""

    name = "chadan.delivery"
