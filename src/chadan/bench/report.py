"""Results as tables: for a terminal, and as Markdown for docs/benchmarks.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chadan.bench.run import BENCHES
from chadan.platform.errors import InvalidInput

_HEADS = ("what", "value", "floor", "ratio", "p95", "bar", "met")


def line(result: dict[str, Any]) -> str:
    """One result for a terminal."""
    cells = _cells(result)
    return (
        f"{cells[0]:<52.52} {cells[1]:>14} {cells[2]:>14} {cells[3]:>8} {cells[4]:>9}  {cells[5]} {cells[6]}".rstrip()
    )


def heading() -> str:
    """The line above `line`s."""
    return f"{_HEADS[0]:<52} {_HEADS[1]:>14} {_HEADS[2]:>14} {_HEADS[3]:>8} {_HEADS[4]:>9}  {_HEADS[5]}"


def _cells(result: dict[str, Any]) -> list[str]:
    unit = result["unit"]
    ratio = result["ratio"]
    return [
        result["name"],
        _figure(result["value"], unit),
        _figure(result["floor"], unit),
        "" if ratio is None else f"{ratio:.2f}×",
        _figure(result.get("p95"), ""),
        str(result.get("bar", "")),
        {True: "yes", False: "**no**", None: ""}[result.get("meets")],
    ]


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def read(path: Path) -> dict[str, Any]:
    """A run's JSON. Raises InvalidInput when the file is none."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        return {"orders": run["orders"], "machine": run["machine"], "results": run["results"]}
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path} is not what `bench --json` prints.") from error


def markdown(runs: list[dict[str, Any]]) -> str:
    """The tables of several runs, one section a size, one table a bench."""
    parts = []
    for run in sorted(runs, key=lambda run: int(run["orders"])):
        parts += [f"## {run['orders']:,} orders", "", _machine(run["machine"]), ""]
        for name, (_module, _function, about) in BENCHES.items():
            rows = [result for result in run["results"] if result.get("bench") == name]
            if rows:
                parts += [f"### `bench {name}`: {about}", "", *_floors(rows), *_table(rows), ""]
    return "\n".join(parts).rstrip() + "\n"


def _machine(machine: dict[str, Any]) -> str:
    return (
        f"{machine['at'][:16].replace('T', ' ')} UTC, {machine['cores']} cores, {machine['memory_gb']:g} GB,"
        f" {machine['system']}, PostgreSQL {machine['postgresql'].split()[0]} with {machine['shared_buffers']} of"
        f" buffers, Python {machine['python']}, database {machine['database_gb']:g} GB, load {machine['load_at_start']:g}"
        " at the start."
    )


def _floors(rows: list[dict[str, Any]]) -> list[str]:
    known = list(dict.fromkeys(row["floor_is"] for row in rows if row.get("floor_is")))
    return [f"Floor: {'; '.join(known)}.", ""] if known else []


def _table(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| " + " | ".join(_HEADS) + " |", "|---|--:|--:|--:|--:|---|---|"]
    return lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in _cells(row)) + " |" for row in rows]
