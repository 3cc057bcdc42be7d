"""How the ledger posts and takes, once more from chadan/money/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs posting.sql."""
    run_sql_file(editor, SQL / "posting.sql")


class Migration(migrations.Migration):
    """Functions that take from a wallet and write a posting whose accounts are known."""

    dependencies = [("money", "0002_posting")]
    operations = [migrations.RunPython(create)]
