"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import Any

from chadan.bench.sites import Site
from chadan.platform.postgres.cluster import machine_memory


def describe(site: Site | None) -> dict[str, Any]:
    """Cores, memory, versions, load and the time of the run; without a site, nothing of a database."""
    version, size, buffers = "", 0, ("",)
    if site is not None:
        with site.bare() as connection:
            row = connection.execute("select current_setting('server_version'), pg_database_size(current_database())")
            version, size = row.fetchone() or ("", 0)
            buffers = connection.execute("show shared_buffers").fetchone() or ("",)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "memory_gb": round(machine_memory() / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "postgresql": version,
        "shared_buffers": buffers[0],
        "load_at_start": round(os.getloadavg()[0], 2),
        "database_gb": round(size / 2**30, 2),
    }
