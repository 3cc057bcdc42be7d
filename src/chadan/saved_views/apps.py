"""Django's record of the room."""

from django.apps import AppConfig


class SavedViewsConfig(AppConfig):
    """The room's name."""

    name = "chadan.saved_views"
