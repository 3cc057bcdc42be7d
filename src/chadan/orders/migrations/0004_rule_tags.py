"""Tags that rules put on orders, from chadan/orders/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs rule_tags.sql."""
    run_sql_file(editor, SQL / "rule_tags.sql")


class Migration(migrations.Migration):
    """Who put a tag on an order: a person or a rule."""

    dependencies = [("orders", "0003_lean_writes")]
    operations = [migrations.RunPython(create)]
