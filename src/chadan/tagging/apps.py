"""Django's record of the room."""

from django.apps import AppConfig


class TaggingConfig(AppConfig):
    """The room's name."""

    name = "chadan.tagging"
