"""How a started payment is shown, from chadan/payments/sql, and the indexes of what is read every minute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations, models

from chadan.platform.sql_files import run_sql_file

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs attempts.sql."""
    run_sql_file(editor, SQL / "attempts.sql")


class Migration(migrations.Migration):
    """Attempts remember how they are shown."""

    dependencies = [("payments", "0001_initial"), ("orders", "0002_live"), ("catalog", "0002_live")]
    operations = [
        migrations.RunPython(create),
        migrations.AddIndex(
            model_name="paymentcallback",
            index=models.Index(fields=["received_at"], name="payment_callbacks_received"),
        ),
    ]
