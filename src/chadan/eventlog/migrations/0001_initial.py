"""The log's head, the merchants' sequences and the consumers' cursors, from chadan/eventlog/sql."""

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
    """One record of everything that happened: DESIGN §2."""

    dependencies = [("orders", "0002_live")]
    operations = [migrations.RunPython(create)]
