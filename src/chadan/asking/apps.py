"""The room as a Django app: its texts."""

from __future__ import annotations

from django.apps import AppConfig


class AskingConfig(AppConfig):
    """What typed text means."""

    name = "chadan.asking"
