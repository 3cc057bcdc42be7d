"""Row-level security for what suppliers report and agents order, from chadan/delivery/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs supply_policies.sql."""
    run_sql_file(editor, SQL / "supply_policies.sql")


class Migration(migrations.Migration):
    """The backstop behind the scopes."""

    dependencies = [("delivery", "0003_supply"), ("orders", "0002_live")]
    operations = [migrations.RunPython(create)]
