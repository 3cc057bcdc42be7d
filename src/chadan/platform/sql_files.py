"""Runs a room's SQL files in its migrations, with this database's role names."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def run_sql_file(editor: Any, path: Path) -> None:
    """Executes the file; `{app}` and `{search}` stand for the database's roles (docs/decisions/002-database-roles.md)."""
    name = editor.connection.settings_dict["NAME"]
    text = path.read_text().replace("{app}", f'"{name}_app"').replace("{search}", f'"{name}_search"')
    with editor.connection.connection.cursor() as cursor:
        cursor.execute(text)
