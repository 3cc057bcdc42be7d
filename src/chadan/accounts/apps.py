from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The accounts room."""

    name = "chadan.accounts"
    label = "accounts"
