"""The order record's tables, partitions and policies, from chadan/orders/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs the SQL files with this database's role names."""
    for part in ("schema", "partitions", "policies"):
        run_sql_file(editor, SQL / f"{part}.sql")


class Migration(migrations.Migration):
    """First shape of the order record."""

    dependencies = [("accounts", "0001_initial"), ("catalog", "0001_initial")]
    operations = [migrations.RunPython(create)]
