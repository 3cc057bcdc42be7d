"""Cheaper checks and smaller indexes, from chadan/orders/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs lean_writes.sql."""
    run_sql_file(editor, SQL / "lean_writes.sql")


class Migration(migrations.Migration):
    """A sale writes what it needs."""

    dependencies = [
        ("orders", "0002_live"),
        ("eventlog", "0001_initial"),
        ("procrastinate", "0041_post_retry_failed_job"),
    ]
    operations = [migrations.RunPython(create)]
