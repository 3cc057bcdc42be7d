"""Indexes that picking a free card walks, from chadan/delivery/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs stock_indexes.sql."""
    run_sql_file(editor, SQL / "stock_indexes.sql")


class Migration(migrations.Migration):
    """Free cards in the order they are sold in."""

    dependencies = [("delivery", "0004_supply_policies"), ("orders", "0003_lean_writes")]
    operations = [migrations.RunPython(create)]
