from django.apps import AppConfig


class WebConfig(AppConfig):
    """The web room."""

    name = "chadan.web"
    label = "web"
