"""The table behind Django's cache: counted login attempts, shared by every web process."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    """Not logged: after a crash the counters start anew."""

    dependencies = [("accounts", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "create unlogged table cache (cache_key varchar(255) primary key, value text not null,"
            " expires timestamptz not null); create index cache_expires on cache (expires)",
            "drop table cache",
        )
    ]
