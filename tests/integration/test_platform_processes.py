from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.waiting import alive, eventually

pytestmark = pytest.mark.integration

# A program of a leader and its own child, as granian is: both write their pids, one line a start.
PROGRAM = (
    "import os, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "with open(sys.argv[1], 'a') as file: file.write(f'{os.getpid()} {child.pid}\\n')\n"
    "if '--stubborn' in sys.argv: import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "while True: time.sleep(600)\n"
)
SUPERVISOR = (
    "import sys\n"
    "from chadan.platform import processes\n"
    "processes.GRACE = 2.0\n"
    "death = processes.signal.SIGKILL if '--stubborn' in sys.argv else processes.signal.SIGTERM\n"
    "program = processes.Program('pair', (sys.executable, '-c', *sys.argv[1:]), death_signal=death)\n"
    "sys.exit(processes.Supervisor([program]).run(lambda: True, lambda: print('ready', flush=True)))\n"
)


class Site:
    """A supervisor in its own process, and what its program wrote."""

    def __init__(self, folder: Path, *extra: str) -> None:
        self.pids_file = folder / "pids"
        command = [sys.executable, "-c", SUPERVISOR, PROGRAM, str(self.pids_file), *extra]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout and self.process.stdout.readline() == "ready\n"
        eventually(lambda: self.starts(1), "the first start")

    def starts(self, count: int) -> list[list[int]]:
        """The pids of every start, once there are `count` starts."""
        lines = self.pids_file.read_text().splitlines() if self.pids_file.exists() else []
        found = [[int(pid) for pid in line.split()] for line in lines if len(line.split()) == 2]
        return found if len(found) >= count else []

    def all_gone(self) -> bool:
        return not any(alive(pid) for pids in self.starts(1) for pid in pids)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    one = Site(tmp_path)
    yield one
    finish(one)


def finish(site: Site) -> None:
    if site.process.poll() is None:
        site.process.terminate()
    site.process.wait()
    assert site.process.stdout
    site.process.stdout.close()
    eventually(site.all_gone, "the end of every process")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signal_stops_everything(site: Site, number: signal.Signals, code: int) -> None:
    site.process.send_signal(number)
    assert site.process.wait() == code
    assert site.all_gone()


def test_program_that_ignores_sigterm_is_killed_with_its_group(tmp_path: Path) -> None:
    site = Site(tmp_path, "--stubborn")
    site.process.terminate()
    assert site.process.wait() == 0
    finish(site)


PARENT = (
    "import subprocess, sys, time\n"
    "from chadan.platform.processes import tied\n"
    "child = subprocess.Popen(tied(sys.executable, '-c', 'import time; time.sleep(600)'), start_new_session=True)\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(600)\n"
)


@pytest.mark.fault
def test_what_a_killed_test_run_started_ends_with_it() -> None:
    """As the tests start sites, sandboxes and workers: in sessions of their own, where no signal of the terminal finds them."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    eventually(lambda: not alive(child), "the end of what it started", 10)


@pytest.mark.fault
def test_killed_program_is_started_again_after_its_group_is_gone(site: Site) -> None:
    ((leader, child),) = site.starts(1)
    os.kill(leader, signal.SIGKILL)
    second = eventually(lambda: site.starts(2), "the restart")[1]
    assert not alive(child)
    assert alive(second[0])


@pytest.mark.fault
@pytest.mark.parametrize("extra", [(), ("--stubborn",)], ids=["SIGTERM", "SIGKILL"])
def test_killed_supervisor_takes_its_programs_along(tmp_path: Path, extra: tuple[str, ...]) -> None:
    site = Site(tmp_path, *extra)
    ((leader, _child),) = site.starts(1)
    site.process.kill()
    eventually(lambda: not alive(leader), "the program's end")
    os.killpg(leader, signal.SIGKILL)  # its own child is its own to look after
    finish(site)


def test_the_worker_does_not_outlive_the_site() -> None:
    from chadan.ops.serve import programs

    assert {program.name: program.death_signal for program in programs()}["worker"] == signal.SIGKILL
