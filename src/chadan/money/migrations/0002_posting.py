"""How the ledger posts and counts, from chadan/money/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs wallet_rows.sql and posting.sql."""
    run_sql_file(editor, SQL / "wallet_rows.sql")
    run_sql_file(editor, SQL / "posting.sql")


class Migration(migrations.Migration):
    """Functions that post and hold, and the wallets' running count."""

    dependencies = [("money", "0001_initial")]
    operations = [migrations.RunPython(create)]
