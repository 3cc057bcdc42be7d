"""Sentences of modules that also work without Django."""

from __future__ import annotations

from django.apps import apps
from django.utils import translation


def gettext(msgid: str) -> str:
    """The sentence in the visitor's language; as it stands where there is no Django, in tests and tools."""
    return translation.gettext(msgid) if apps.ready else msgid


def said(stored: str) -> str:
    """A stored sentence in the reader's language, where it is one of ours; "" for none.

    Templates use this, never `_(value)`: that takes its text for markup and for a format.
    """
    return gettext(stored) if stored else ""


def gettext_noop(msgid: str) -> str:
    """Marks a sentence that is translated where it is shown."""
    return msgid
