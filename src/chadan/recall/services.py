"""The history of a person's questions: recorded, read and cleared, always one's own."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from chadan.accounts.actors import Actor
from chadan.recall.models import TEXT_LENGTH, AskedText
from chadan.recall.personal import is_personal

KEPT = 50
"""Texts kept of a person in one capacity; the oldest go."""


def remember(actor: Actor, text: str) -> None:
    """Keeps a typed text, or that it was asked again.

    A text that names somebody or one order (`personal.is_personal`) is not kept: personal data is not worth keeping for a
    convenience. Nor is one of more than 300 characters, which nobody picks from a list.
    """
    text = " ".join(text.replace("\x00", " ").split())
    if not text or len(text) > TEXT_LENGTH or is_personal(text):
        return
    asked = AskedText(user_id=actor.user_id, capacity=actor.key, text=text, last_at=timezone.now())
    with transaction.atomic():
        AskedText.objects.bulk_create(
            [asked], update_conflicts=True, unique_fields=["user", "capacity", "text"], update_fields=["last_at"]
        )
        kept = _own(actor).values("pk")[:KEPT]
        _own(actor).exclude(pk__in=kept).order_by().delete()


def recent(actor: Actor, most: int = KEPT) -> list[AskedText]:
    """What the actor asked in this capacity, the latest first."""
    return list(_own(actor)[:most])


def forget(actor: Actor, asked_id: int | None = None) -> None:
    """Deletes one of the actor's texts, or all of them. What is not there, or somebody else's, stays as it is."""
    own = _own(actor)
    (own if asked_id is None else own.filter(pk=asked_id)).order_by().delete()


def _own(actor: Actor) -> QuerySet[AskedText]:
    return AskedText.objects.filter(user_id=actor.user_id, capacity=actor.key).order_by("-last_at", "-pk")
