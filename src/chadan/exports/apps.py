from django.apps import AppConfig


class ExportsConfig(AppConfig):
    """The exports room."""

    name = "chadan.exports"
    label = "exports"
