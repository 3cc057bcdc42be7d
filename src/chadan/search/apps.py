from django.apps import AppConfig


class SearchConfig(AppConfig):
    """The search room."""

    name = "chadan.search"
    label = "search"
