"""Selling from stock, and buying with a wallet, each in one call, from chadan/delivery/sql."""

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
    """The two functions."""

    dependencies = [("delivery", "0005_sell"), ("money", "0002_posting")]
    operations = [migrations.RunPython(create)]
