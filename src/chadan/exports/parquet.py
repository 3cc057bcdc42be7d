"""Parquet from the spooled rows, by DuckDB, in bounded memory."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb

from chadan.exports.columns import SPECS, Column
from chadan.exports.kinds import Kind

_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.CODE: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.MONEY: "DECIMAL(18,2)",
    Kind.DATETIME: "TIMESTAMPTZ",
}
_MEMORY = "256MB"


def convert(spool: Path, target: Path, columns: Sequence[Column]) -> None:
    """Writes the spooled CSV as zstd Parquet: numbers as decimals, times as instants, order numbers and accounts as text.

    Starting over is safe: the target is replaced. Raises OSError when the disk is full.
    """
    types = ", ".join(f"'{column.value}': '{_TYPES[SPECS[column].kind]}'" for column in columns)
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    scratch = target.with_name(f"{target.name}.tmp")
    try:
        with duckdb.connect(":memory:") as connection:
            connection.execute(f"set memory_limit = '{_MEMORY}'")
            connection.execute("set threads = 1")
            connection.execute(f"set temp_directory = {_literal(str(scratch))}")
            connection.execute(
                f"copy (select * from read_csv({_literal(str(spool))}, header = true, delim = ',', quote = '\"',"
                " escape = '\"', auto_detect = false, parallel = false, max_line_size = 4194304,"
                f" allow_quoted_nulls = false, columns = {{{types}}}))"
                f" to {_literal(str(target))} (format parquet, compression zstd, use_tmp_file false)"
            )
    except duckdb.IOException as error:
        if "No space left" in str(error) or "File too large" in str(error):
            raise OSError(errno.ENOSPC, "No space left on device", str(target)) from error
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
