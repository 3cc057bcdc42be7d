"""An assistant: the protocol's own client, against `chadan mcp` and against the live process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from mcp import ClientSession, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from tests.support.waiting import eventually

from chadan.platform.processes import tied

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")
Work = Callable[[ClientSession], Awaitable[T]]


def environment(data: Path, **more: str) -> dict[str, str]:
    """What the server's process needs of the environment."""
    return {"CHADAN_DATA": str(data), "PYTHONPATH": str(ROOT / "src"), **more}


def over_stdio(data: Path, key: str, work: Work[T], said: list[str] | None = None) -> T:
    """What `work` returns on a session with `python -m chadan mcp`, its key in a file; `said` gets the server's stderr."""

    async def session() -> T:
        with tempfile.NamedTemporaryFile("w", suffix=".key") as file, tempfile.TemporaryFile("w+") as errors:
            file.write(f"{key}\n")
            file.flush()
            server = StdioServerParameters(
                command=sys.executable,
                args=["-m", "chadan", "mcp", "--key-file", file.name],
                env=environment(data),
            )
            try:
                async with (
                    stdio_client(server, errlog=errors) as (reading, writing),
                    ClientSession(reading, writing) as client,
                ):
                    await client.initialize()
                    return await work(client)
            finally:
                if said is not None:
                    errors.seek(0)
                    said.append(errors.read())

    return asyncio.run(session())


def over_http(url: str, key: str, work: Work[T]) -> T:
    """The same on a session with the live process."""

    async def session() -> T:
        async with (
            create_mcp_http_client({"Authorization": f"Bearer {key}"}) as http,
            streamable_http_client(url, http_client=http) as (reading, writing),
            ClientSession(reading, writing) as client,
        ):
            await client.initialize()
            return await work(client)

    return asyncio.run(session())


async def told(client: ClientSession, name: str, **arguments: Any) -> dict[str, Any]:
    """The tool's structured answer; an error's has `code` and `error`."""
    result = await client.call_tool(name, arguments)
    answer: dict[str, Any] = result.structured_content
    assert result.is_error == ("code" in answer), answer
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def live_process(data: Path) -> Iterator[tuple[int, int]]:
    """The live process, on its port; and the port its web process would have."""
    port, web_port = free_port(), free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("CHADAN_")}
    env |= environment(
        data,
        CHADAN_LISTEN=f"127.0.0.1:{web_port}",
        CHADAN_LIVE_LISTEN=f"127.0.0.1:{port}",
        CHADAN_LOG_LEVEL="WARNING",
    )
    process = subprocess.Popen(tied(sys.executable, "-m", "chadan.live"), env=env, start_new_session=True)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        eventually(listens, "the live process")
        yield port, web_port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
