"""Jobs that write one row, from chadan/orders/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs lean_jobs.sql."""
    run_sql_file(editor, SQL / "lean_jobs.sql")


class Migration(migrations.Migration):
    """Deferring a job writes no event."""

    dependencies = [
        ("orders", "0004_rule_tags"),
        ("procrastinate", "0041_post_retry_failed_job"),
    ]
    operations = [migrations.RunPython(create)]
