"""The order record's tables, partitions and policies, from chadan/orders/sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations

SQL = Path(__file__).resolve().parents[1] / "sql"


def create(_apps: Any, editor: Any) -> None:
    """Runs the SQL files with this database's role names."""
    name = editor.connection.settings_dict["NAME"]
    for part in ("schema", "partitions", "policies"):
        text = (SQL / f"{part}.sql").read_text()
        text = text.replace("{app}", f'"{name}_app"').replace("{search}", f'"{name}_search"')
        with editor.connection.connection.cursor() as cursor:
            cursor.execute(text)


class Migration(migrations.Migration):
    """First shape of the order record."""

    dependencies = [("accounts", "0001_initial"), ("catalog", "0001_initial")]
    operations = [migrations.RunPython(create)]
