"""Sentences for users: English msgids, translated when Django is set up, plain English in bare scripts."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext


def say(msgid: str, /, **values: object) -> str:
    """`msgid` in the active language with `{name}` placeholders filled in."""
    text = gettext(msgid) if settings.configured else msgid
    return text.format(**values) if values else text
