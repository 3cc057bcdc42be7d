"""Buying with a wallet takes from its row in one statement: once more from chadan/delivery/sql."""

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
    """The function that buys, anew."""

    dependencies = [("delivery", "0006_sell_at_once"), ("money", "0003_take")]
    operations = [migrations.RunPython(create)]
