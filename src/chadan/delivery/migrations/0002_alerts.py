"""Low-stock warnings, from chadan/delivery/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs alerts.sql."""
    run_sql_file(editor, SQL / "alerts.sql")


class Migration(migrations.Migration):
    """One warning a product."""

    dependencies = [("delivery", "0001_initial")]
    operations = [migrations.RunPython(create)]
