"""Selling from stock in one call, from chadan/delivery/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs sell.sql."""
    run_sql_file(editor, SQL / "sell.sql")


class Migration(migrations.Migration):
    """The function that sells, and the indexes it needs."""

    dependencies = [("delivery", "0004_supply_policies"), ("orders", "0003_lean_writes")]
    operations = [migrations.RunPython(create)]
