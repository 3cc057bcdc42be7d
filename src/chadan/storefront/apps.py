"""Django's record of the room."""

from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    """The room's name."""

    name = "chadan.storefront"
