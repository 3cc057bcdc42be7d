"""Django's record of the room."""

from django.apps import AppConfig


class NotifyConfig(AppConfig):
    """The room's name."""

    name = "chadan.notify"
