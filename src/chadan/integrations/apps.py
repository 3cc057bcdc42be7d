from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """The integrations room."""

    name = "chadan.integrations"
    label = "integrations"
