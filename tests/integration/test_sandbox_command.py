"""`./chadan sandbox`: it says where it is, answers there, and stops when told to."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chadan.cli import main
from chadan.platform.config import get_config
from chadan.platform.processes import tied
from chadan.sandbox.client import Sandbox
from chadan.sandbox.server import SandboxServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_runs_until_it_is_told_to_stop(tmp_path: Path, how: signal.Signals) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHADAN_")}
    process = subprocess.Popen(
        tied(sys.executable, "-m", "chadan.sandbox", "--port", "0"),
        env={**environment, "PYTHONPATH": str(ROOT / "src"), "CHADAN_DATA": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", first)
        assert found, first
        overview = Sandbox(found[0]).overview()
        assert overview["url"] == found[0]
        process.send_signal(how)
        rest = process.stdout.read()
        process.wait(30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0
    assert all(f"{found[0]}/{protocol}/" in rest for protocol in overview["protocols"])
    assert f"{found[0]}/_control/" in rest
    assert (tmp_path / "sandbox" / "keys.json").exists()


def test_a_taken_port_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHADAN_DATA", str(tmp_path))
    get_config.cache_clear()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert main(["sandbox", "--port", str(port)]) == 1
        assert f"127.0.0.1:{port}" in capsys.readouterr().err
        assert main(["sandbox", "--port", "70000"]) == 1
        with SandboxServer(tmp_path / "sandbox"):
            assert main(["sandbox", "--port", "0"]) == 1
        assert "Another sandbox" in capsys.readouterr().err
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        monkeypatch.undo()
        get_config.cache_clear()
