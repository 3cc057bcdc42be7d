"""Counted tries of guests: look-ups, orders, mails (docs/decisions/030-count-guests-tries-in-a-table.md)."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    """Not logged: after a crash the counters start anew."""

    operations = [
        migrations.RunSQL(
            "create unlogged table guest_tries (key text primary key, count integer not null,"
            " until timestamptz not null); create index guest_tries_until on guest_tries (until)",
            "drop table guest_tries",
        )
    ]
