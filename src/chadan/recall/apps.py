"""Django's record of the room."""

from django.apps import AppConfig


class RecallConfig(AppConfig):
    """The room's name."""

    name = "chadan.recall"
