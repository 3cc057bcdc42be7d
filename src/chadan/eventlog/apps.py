"""Django's record of the room."""

from django.apps import AppConfig


class EventLogConfig(AppConfig):
    """The room's name."""

    name = "chadan.eventlog"
