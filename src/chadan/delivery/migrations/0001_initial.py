"""The room's tables, from chadan/delivery/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs schema.sql."""
    run_sql_file(editor, SQL / "schema.sql")


class Migration(migrations.Migration):
    """First shape."""

    dependencies = [("orders", "0002_live"), ("catalog", "0002_live")]
    operations = [migrations.RunPython(create)]
