from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.support.waiting import alive, eventually

from chadan.platform.config import Address, Config, load
from chadan.platform.errors import ConfigError, DatabaseUnavailable
from chadan.platform.postgres import database_running, identity, owner_address
from chadan.platform.postgres.external import check_external
from chadan.platform.postgres.layout import Layout, control_folder
from chadan.platform.postgres.leftovers import postmaster_pid, processes_in

pytestmark = pytest.mark.integration
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="about running as root")


def connect(address: Address, **changes: str) -> psycopg.Connection[tuple[object, ...]]:
    found = {"user": address.user, "password": address.password, "dbname": address.name, **changes}
    return psycopg.connect(host=address.host, port=address.port, autocommit=True, **found)


def answers(address: Address) -> bool:
    try:
        connect(address).close()
    except psycopg.OperationalError:
        return False
    return True


def ask(address: Address, statement: str) -> object:
    with connect(address) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load({"CHADAN_DATA": str(tmp_path / "var")})


def data_of(config: Config) -> Path:
    return identity.layout_of(control_folder(config)).data


def keeper_pids(config: Config) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"chadan.platform.postgres.keeper" in words and str(control_folder(config)).encode() in words:
            found.append(int(entry.name))
    return found


def owners_of(pids: Iterable[int]) -> set[int]:
    """Who the processes run as; a PostgreSQL worker may end while it is looked at."""
    owners = set()
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):
            owners.add(Path(f"/proc/{pid}").stat().st_uid)
    return owners


def test_owner_may_create_databases_and_roles_but_is_no_superuser(postgres: Address) -> None:
    with connect(postgres) as connection:
        row = connection.execute(
            "select rolsuper, rolcreatedb, rolcreaterole, rolbypassrls from pg_roles where rolname = current_user"
        ).fetchone()
        extensions = {name for (name,) in connection.execute("select extname from pg_extension")}
        collation = connection.execute(
            "select datlocprovider::text, datlocale, pg_encoding_to_char(encoding) from pg_database"
            " where datname = current_database()"
        ).fetchone()
    assert row == (False, True, True, False)
    assert {"pg_trgm", "intarray"} <= extensions
    assert collation == ("b", "C.UTF-8", "UTF8")


def test_every_login_needs_its_password(postgres: Address) -> None:
    for user, password in ((postgres.user, "wrong"), ("postgres", ""), ("postgres", "postgres")):
        with pytest.raises(psycopg.OperationalError):
            connect(postgres, user=user, password=password)


def test_socket_folder_is_private_and_no_port_is_open(postgres: Address) -> None:
    assert Path(postgres.host).stat().st_mode & 0o777 == 0o700
    assert ask(postgres, "show listen_addresses") == ""
    assert ask(postgres, "show plan_cache_mode") == "force_custom_plan"


def test_last_user_stops_the_server_and_data_stays(config: Config) -> None:
    with database_running(config) as first:
        with database_running(config) as second:
            assert first == second == owner_address(config)
            ask(first, "create table kept as select 41 + 1 as answer")
        assert ask(first, "select answer from kept") == 42
    assert processes_in(data_of(config)) == []
    assert keeper_pids(config) == []
    with database_running(config) as again:
        assert ask(again, "select answer from kept") == 42
    assert processes_in(data_of(config)) == []


def test_lost_owner_password_is_replaced(config: Config) -> None:
    with database_running(config) as before:
        pass
    (config.data / "secrets" / "database_owner").unlink()
    with database_running(config) as after:
        assert after.password != before.password
        assert ask(after, "select 1") == 1


def test_half_made_cluster_is_made_anew(config: Config) -> None:
    half = control_folder(config) / "data.new-1"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with database_running(config) as owner:
        assert ask(owner, "select 1") == 1
    assert not half.exists()


def test_stale_lock_file_of_a_reused_pid_does_not_stop_a_start(config: Config) -> None:
    with database_running(config):
        pass
    (data_of(config) / "postmaster.pid").write_text(f"{os.getpid()}\n{data_of(config)}\n0\n5432\n\n\n0 0\nready\n")
    with database_running(config) as owner:
        assert ask(owner, "select 1") == 1


def test_data_of_another_major_version_is_refused_with_the_way_out(config: Config) -> None:
    data = Layout(control_folder(config), control_folder(config)).data
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(DatabaseUnavailable, match=r"written by PostgreSQL 17.*brings PostgreSQL \d\d") as caught:
        database_running(config).__enter__()
    assert "dump" in caught.value.hint
    assert keeper_pids(config) == []


def test_foreign_files_in_the_data_directory_are_left_alone(config: Config) -> None:
    data = Layout(control_folder(config), control_folder(config)).data
    data.mkdir(parents=True)
    (data / "thesis.txt").write_text("years of work")
    with pytest.raises(DatabaseUnavailable, match="no PostgreSQL cluster"):
        database_running(config).__enter__()
    assert (data / "thesis.txt").read_text() == "years of work"
    assert eventually(lambda: not keeper_pids(config), "the keeper's end")


def test_broken_configuration_is_named(config: Config) -> None:
    with database_running(config):
        pass
    (data_of(config) / "local.conf").write_text("work_mem = banana\n")
    with pytest.raises(DatabaseUnavailable, match="did not start"):
        database_running(config).__enter__()


def test_long_path_gets_a_short_private_socket_folder(tmp_path: Path) -> None:
    config = load({"CHADAN_DATA": str(tmp_path / ("深" * 20) / ("long" * 10) / "var")})
    with database_running(config) as owner:
        assert ask(owner, "select 1") == 1
        folder = Path(owner.host)
        assert folder.is_relative_to(tempfile.gettempdir()) and not folder.is_relative_to(tmp_path)
        assert folder.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(folder)
    with database_running(config) as owner:  # the temporary folder was emptied in between
        assert ask(owner, "select 1") == 1
    shutil.rmtree(owner.host)


@pytest.mark.parametrize("deep", ["", "long" * 25])
def test_a_copied_folder_has_a_server_of_its_own(tmp_path: Path, deep: str) -> None:
    config = load({"CHADAN_DATA": str(tmp_path / deep / "var")})
    with database_running(config) as owner:
        ask(owner, "create table said as select 'first' as by")
    copy = load({"CHADAN_DATA": str(tmp_path / deep / "copy")})
    shutil.copytree(config.data, copy.data, ignore=shutil.ignore_patterns("run"))
    with database_running(config) as owner, database_running(copy) as other:
        assert owner.host != other.host
        ask(other, "update said set by = 'copy'")
        assert (ask(owner, "select by from said"), ask(other, "select by from said")) == ("first", "copy")


def test_a_moved_folder_keeps_its_data(tmp_path: Path) -> None:
    config = load({"CHADAN_DATA": str(tmp_path / "var")})
    with database_running(config) as owner:
        ask(owner, "create table kept as select 42 as answer")
    moved = load({"CHADAN_DATA": str(config.data.rename(tmp_path / "elsewhere"))})
    with database_running(moved) as owner:
        assert ask(owner, "select answer from kept") == 42
    assert not config.data.exists()


def test_no_write_permission_is_one_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "readonly"
    folder.mkdir(mode=0o555)
    with as_ordinary_user(folder):
        config = load({"CHADAN_DATA": str(folder / "var")})
        with pytest.raises(ConfigError, match=r"Cannot write in .*Permission denied"):
            database_running(config).__enter__()


class as_ordinary_user:  # noqa: N801 - reads as a sentence
    """Root may write everywhere: become nobody for the block, with the folders above reachable."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        if os.geteuid() == 0:
            self.modes = {path: path.stat().st_mode for path in self.folder.parents}
            for path in self.modes:
                if not path.stat().st_mode & 0o001:
                    path.chmod(path.stat().st_mode | 0o011)
            os.seteuid(65534)

    def __exit__(self, *_: object) -> None:
        if os.getuid() == 0:
            os.seteuid(0)
            for path, mode in self.modes.items():
                path.chmod(mode & 0o7777)


def test_file_in_the_way_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError):
        database_running(load({"CHADAN_DATA": str(tmp_path / "file" / "var")})).__enter__()


def test_external_server_is_checked_and_yielded(postgres: Address) -> None:
    url = f"postgresql://{postgres.user}:{postgres.password}@/{postgres.name}?host={postgres.host}&port={postgres.port}"
    config = load({"CHADAN_DATABASE_URL": url})
    with database_running(config) as owner:
        assert owner == config.external
        assert check_external(owner) >= 150000


def test_unreachable_external_server_is_one_sentence(tmp_path: Path) -> None:
    config = load({"CHADAN_DATABASE_URL": f"postgresql://nobody@/none?host={tmp_path}"})
    with pytest.raises(DatabaseUnavailable, match="Cannot connect to the database"):
        database_running(config).__enter__()


@only_root
def test_where_user_namespaces_are_denied_an_unprivileged_user_runs_it(
    monkeypatch: pytest.MonkeyPatch, config: Config
) -> None:
    works = identity._works
    monkeypatch.setattr(identity, "_works", lambda one: one.mode != "namespace" and works(one))
    with reachable_folder() as far:
        monkeypatch.setattr(identity, "FAR_HOME", far)
        with database_running(config) as owner:
            data = data_of(config)
            assert data.stat().st_uid == identity._unprivileged_user().pw_uid
            assert owners_of(processes_in(data)) == {data.stat().st_uid}
            assert ask(owner, "select 1") == 1
        monkeypatch.undo()
        with database_running(config) as owner:  # what was chosen first stays
            assert Path(f"/proc/{postmaster_pid(data)}").stat().st_uid == data.stat().st_uid
        assert processes_in(data) == []


class reachable_folder:  # noqa: N801 - reads as a sentence
    def __enter__(self) -> Path:
        self.path = Path(tempfile.mkdtemp(prefix="chadan-far-"))
        self.path.chmod(0o755)
        return self.path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path)


@pytest.fixture
def held(config: Config) -> Iterator[Address]:
    with database_running(config) as owner:
        ask(owner, "create table kept as select 42 as answer")
        yield owner
    assert processes_in(data_of(config)) == []


@pytest.mark.fault
def test_killed_postmaster_comes_back_with_everything_committed(held: Address, config: Config) -> None:
    killed = postmaster_pid(data_of(config))
    assert killed
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: postmaster_pid(data_of(config)) not in (None, killed) and answers(held), "the restart")
    assert ask(held, "select answer from kept") == 42


@pytest.mark.fault
def test_killed_keeper_is_replaced_and_leaves_no_server_behind(held: Address, config: Config) -> None:
    (keeper,) = keeper_pids(config)
    killed = postmaster_pid(data_of(config))
    os.kill(keeper, signal.SIGKILL)
    eventually(lambda: postmaster_pid(data_of(config)) not in (None, killed) and answers(held), "the restart")
    assert ask(held, "select answer from kept") == 42
    assert len([pid for pid in keeper_pids(config) if alive(pid)]) == 1


@pytest.mark.fault
def test_killed_application_leaves_nothing_running(config: Config) -> None:
    script = (
        "import sys, time; from chadan.platform.config import load; from chadan.platform.postgres import database_running\n"
        "with database_running(load({'CHADAN_DATA': sys.argv[1]})):\n print('up', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", script, str(config.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as application:
        assert application.stdout and application.stdout.readline() == "up\n"
        application.kill()
    eventually(lambda: not processes_in(data_of(config)) and not keeper_pids(config), "the server's end")


@pytest.mark.fault
def test_everything_killed_at_once_recovers(config: Config) -> None:
    with database_running(config) as owner:
        ask(owner, "create table kept as select 42 as answer")
    command = [sys.executable, "-m", "chadan.platform.postgres.keeper", str(control_folder(config))]
    command.append(str(config.data / "secrets" / "database_owner"))
    with subprocess.Popen(command, start_new_session=True) as keeper:
        eventually(lambda: answers(owner), "the start")
        ask(owner, "update kept set answer = 43 returning 1")
        postmaster = postmaster_pid(data_of(config))
        assert postmaster
        os.kill(keeper.pid, signal.SIGKILL)
        os.kill(postmaster, signal.SIGKILL)
    with database_running(config) as owner:
        assert ask(owner, "select answer from kept") == 43


@only_root
def test_root_may_start_what_an_ordinary_user_made_and_leaves_it_theirs(config: Config) -> None:
    with database_running(config):
        pass
    control = control_folder(config)
    with reachable_folder() as home:
        shutil.move(data_of(config), home / "data")
        for path in (home, *home.rglob("*")):
            os.chown(path, 1, 1)
        layout = Layout(control, home)
        layout.place.write_text(f'{{"mode": "same", "uid": 1, "gid": 1, "home": "{home}"}}')
        with database_running(config) as owner:
            assert ask(owner, "select 1") == 1
            assert Path(f"/proc/{postmaster_pid(layout.data)}").stat().st_uid == 1
        assert '"same"' in layout.place.read_text()
