"""`Idempotency-Key`: the same call again is answered as the first one was.

The answer is written in the transaction that did the work, so there is never work without its answer. A key is a merchant's, for one
route. The business's own unique constraints stay the real guard: answers are forgotten after KEPT.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta

from django.db import connection, transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from chadan.api.models import IdempotentAnswer
from chadan.platform.errors import ChadanError

KEPT = timedelta(days=30)
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


class KeyMissing(ChadanError):
    """An unsafe call without a usable key."""

    code = "idempotency_key_missing"
    status = 400


class KeyReused(ChadanError):
    """The key came before with another body."""

    code = "idempotency_key_reused"
    status = 422


class InFlight(ChadanError):
    """The first call with this key is under way."""

    code = "idempotency_in_flight"
    status = 409


def once(merchant_id: int, route: str, key: str, body: bytes, work: Callable[[], tuple[int, str]]) -> HttpResponse:
    """What `work` answers (status, JSON), or answered when the same key and body came before.

    `work` runs in this function's transaction; what it raises undoes everything and is not remembered. Raises KeyMissing,
    KeyReused, InFlight.
    """
    if not _KEY.fullmatch(key):
        raise KeyMissing(
            _("Send an Idempotency-Key of 1 to 128 printable characters."), hint=_("A retry sends the same key.")
        )
    said = hashlib.sha256(body).digest()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"{merchant_id}/{route}/{key}"]
            )
            if not cursor.fetchone()[0]:
                raise InFlight(_("The first call with this key is still under way."), hint=_("Try again in a moment."))
        before = IdempotentAnswer.objects.filter(merchant_id=merchant_id, route=route, key=key).first()
        if before is not None:
            if bytes(before.body_hash) != said:
                raise KeyReused(_("This Idempotency-Key came before with another body."))
            return _response(before.status, before.body, replayed=True)
        status, answer = work()
        IdempotentAnswer.objects.create(
            merchant_id=merchant_id, route=route, key=key, body_hash=said, status=status, body=answer
        )
    return _response(status, answer)


def forget() -> int:
    """Removes answers older than KEPT; returns how many."""
    return IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def _response(status: int, body: str, *, replayed: bool = False) -> HttpResponse:
    response = HttpResponse(body, status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    if replayed:
        response["Idempotent-Replayed"] = "true"
    return response
