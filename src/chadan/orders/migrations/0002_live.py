"""Checkouts, refunds, and what is known of every payment and delivery attempt, from chadan/orders/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs live.sql."""
    run_sql_file(editor, SQL / "live.sql")


class Migration(migrations.Migration):
    """Orders that live: DESIGN §3."""

    dependencies = [("orders", "0001_orders")]
    operations = [migrations.RunPython(create)]
