"""Django's record of the room."""

from django.apps import AppConfig


class MoneyConfig(AppConfig):
    """The room's name."""

    name = "chadan.money"
