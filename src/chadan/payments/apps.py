"""Django's record of the room."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """The room's name."""

    name = "chadan.payments"
