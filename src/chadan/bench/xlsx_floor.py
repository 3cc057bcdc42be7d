"""What XlsxWriter needs for the rows of an export: run as a process of its own, prints CPU seconds and memory growth."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime
from typing import Any

import psycopg

from chadan.bench.export import copy_sql
from chadan.bench.figures import resident
from chadan.platform.config import get_config
from chadan.platform.postgres import owner_address

_FETCH = 10_000


def write(rows: int, target: str) -> None:
    """Writes the rows as anybody would: a server-side cursor into a constant_memory workbook."""
    import xlsxwriter

    address = owner_address(get_config())
    before, start = resident(os.getpid()), time.process_time()
    book = xlsxwriter.Workbook(target, {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = book.add_worksheet()
    with (
        psycopg.connect(
            host=address.host,
            port=address.port,
            dbname=address.name,
            user=address.user,
            password=address.password,
        ) as connection,
        connection.cursor("rows") as cursor,
    ):
        cursor.itersize = _FETCH
        cursor.execute(copy_sql(rows))
        for line, row in enumerate(cursor, 1):
            _put(sheet, line, row)
    book.close()
    print(json.dumps({"cpu": time.process_time() - start, "growth_mb": resident(os.getpid(), "VmHWM") - before}))


def _put(sheet: Any, line: int, row: tuple[Any, ...]) -> None:
    sheet.write_string(line, 0, f"{row[0]:019d}")
    for place, value in enumerate(row[1:], 1):
        if isinstance(value, str):
            sheet.write_string(line, place, value)
        elif isinstance(value, datetime):
            sheet.write_datetime(line, place, value)
        elif value is not None:
            sheet.write_number(line, place, value)


if __name__ == "__main__":
    write(int(sys.argv[1]), sys.argv[2])
