"""Buying from stock with a wallet in one call, from chadan/delivery/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs buy.sql."""
    run_sql_file(editor, SQL / "buy.sql")


class Migration(migrations.Migration):
    """The function that takes the money, sells and posts."""

    dependencies = [("delivery", "0005_sell"), ("money", "0002_posting")]
    operations = [migrations.RunPython(create)]
