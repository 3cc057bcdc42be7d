from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The api room."""

    name = "chadan.api"
    label = "api"
