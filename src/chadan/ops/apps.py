from django.apps import AppConfig


class OpsConfig(AppConfig):
    """The ops room."""

    name = "chadan.ops"
    label = "ops"
