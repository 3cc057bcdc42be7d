from django.apps import AppConfig


class BatchesConfig(AppConfig):
    """The batches room."""

    name = "chadan.batches"
    label = "batches"
