from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """The catalog room."""

    name = "chadan.catalog"
    label = "catalog"
