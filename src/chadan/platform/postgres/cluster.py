"""Makes the embedded cluster: initdb, its configuration, the owner login and its database."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from chadan.platform.config import Address
from chadan.platform.errors import ConfigError, DatabaseUnavailable
from chadan.platform.postgres.identity import Identity
from chadan.platform.postgres.layout import DATABASE, OWNER, PORT, SUPERUSER, Layout

MEGABYTE = 1 << 20
EXTENSIONS = ("pg_trgm", "intarray")
SMALL_SHARED_FOLDER = 512 * MEGABYTE  # containers often get 64 MB of /dev/shm, too little for a parallel query


def prepare_folders(identity: Identity, layout: Layout) -> None:
    """Makes the folders the server needs, private to whoever runs it. Raises ConfigError without write permission."""
    try:
        layout.control.mkdir(parents=True, exist_ok=True, mode=0o700)
        layout.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if identity.mode == "user":
            layout.control.chmod(0o711)  # its user must pass through, and may list nothing
            layout.home.chmod(0o711)
        if not os.access(layout.control, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
        run = layout.run
        run.mkdir(exist_ok=True, mode=0o700)
        identity.give(run)
        layout.log.touch(mode=0o600)
        if not layout.superuser_password.exists():
            _write_private(layout.superuser_password, secrets.token_hex(24))
    except OSError as error:
        raise ConfigError(
            f"Cannot write in {layout.control}: {error.strerror}.",
            hint="Give the user that runs Chadan write permission on CHADAN_DATA, or point CHADAN_DATA elsewhere.",
        ) from error


def initialize(identity: Identity, layout: Layout) -> None:
    """Makes the data directory if there is none, whole or not at all. Raises DatabaseUnavailable with initdb's reason."""
    if (layout.data / "PG_VERSION").exists():
        return
    if layout.data.exists() and any(layout.data.iterdir()):
        raise DatabaseUnavailable(
            f"{layout.data} holds files but no PostgreSQL cluster.", hint="Move them away, then start again."
        )
    for half in layout.home.glob("data.new-*"):
        shutil.rmtree(half, ignore_errors=True)
    half = layout.home / f"data.new-{os.getpid()}"
    half.mkdir(mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=layout.run)
    password_file = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(layout.superuser_password.read_text())
        identity.give(half, password_file)
        done = identity.run(
            "initdb",
            f"--pgdata={half}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--auth=scram-sha-256",
        )
    finally:
        password_file.unlink()
    if done.returncode != 0:
        shutil.rmtree(half, ignore_errors=True)
        reason = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise DatabaseUnavailable(f"PostgreSQL could not create its cluster in {layout.home}: {reason}")
    if layout.data.exists():
        layout.data.rmdir()
    half.replace(layout.data)


def configure(identity: Identity, layout: Layout) -> None:
    """Writes Chadan's part of the configuration anew, so that a changed machine or release takes effect."""
    include = layout.data / "chadan.conf"
    lines = [f"{name} = {_quoted(value)}" for name, value in settings(layout).items()]
    temporary = layout.data / "chadan.conf.new"
    temporary.write_text("\n".join(["# Written at every start; put your own settings into local.conf.", *lines, ""]))
    identity.give(temporary)
    temporary.replace(include)
    main = layout.data / "postgresql.conf"
    text = main.read_text()
    if "chadan.conf" not in text:
        main.write_text(f"{text}\ninclude = 'chadan.conf'\ninclude_if_exists = 'local.conf'\n")


def settings(layout: Layout) -> dict[str, str]:
    """The server's settings on this machine."""
    memory = machine_memory()
    buffers = min(max(memory // 8, 64 * MEGABYTE), 2048 * MEGABYTE)
    shared = shutil.disk_usage("/dev/shm").total if Path("/dev/shm").is_dir() else 0  # noqa: S108 - only its size
    return {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(layout.run),
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        "max_connections": "200",
        # A sale opens seventy tables and indexes: as many locks have to fit into its backend's own slots (PostgreSQL 18: this
        # many), or it takes them from the table all backends share.
        "max_locks_per_transaction": "256",
        "shared_buffers": f"{buffers // MEGABYTE}MB",
        "effective_cache_size": f"{max(memory // 2, buffers) // MEGABYTE}MB",
        "work_mem": "16MB",
        "maintenance_work_mem": f"{min(max(memory // 32, 64 * MEGABYTE), 512 * MEGABYTE) // MEGABYTE}MB",
        "dynamic_shared_memory_type": "posix" if shared >= SMALL_SHARED_FOLDER else "mmap",
        "wal_level": "replica",
        "max_wal_size": "4GB",
        "min_wal_size": "128MB",
        "checkpoint_timeout": "10min",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "effective_io_concurrency": "32",
        "jit": "off",
        "plan_cache_mode": "force_custom_plan",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "log_checkpoints": "off",
        "log_startup_progress_interval": "1s",
        "log_parameter_max_length": "0",  # a statement's parameters are customers' data
        "log_parameter_max_length_on_error": "0",
    }


def machine_memory() -> int:
    """Bytes of memory this process may use: the machine's, or less where a control group says so."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        try:
            text = limit.read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            memory = min(memory, int(text))
    return memory


def bootstrap(layout: Layout, owner_password: str) -> None:
    """Makes the owner login, its database and extensions where they are missing. Raises DatabaseUnavailable."""
    password = layout.superuser_password.read_text().strip()
    try:
        with _connect(layout.address(SUPERUSER, password, "postgres")) as connection:
            _make_owner(connection, layout, owner_password)
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if not found:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
                )
        with _connect(layout.address(SUPERUSER, password)) as connection:
            have = {name for (name,) in connection.execute("SELECT extname FROM pg_extension")}
            for extension in EXTENSIONS:
                if extension not in have:
                    connection.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(extension)))
    except psycopg.Error as error:
        raise DatabaseUnavailable(f"The embedded PostgreSQL started but could not be set up: {error}") from error


def _make_owner(connection: psycopg.Connection[tuple[object, ...]], layout: Layout, owner_password: str) -> None:
    found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (OWNER,)).fetchone()
    if found and _logs_in(layout.address(OWNER, owner_password, "postgres")):
        return
    verb = sql.SQL("ALTER" if found else "CREATE")
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN CREATEROLE CREATEDB NOSUPERUSER PASSWORD {}").format(
            verb, sql.Identifier(OWNER), sql.Literal(owner_password)
        )
    )


def _logs_in(address: Address) -> bool:
    try:
        _connect(address).close()
    except psycopg.OperationalError:
        return False
    return True


def _connect(address: Address) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=address.host,
        port=address.port,
        dbname=address.name,
        user=address.user,
        password=address.password,
        connect_timeout=30,
        autocommit=True,
    )


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    temporary.replace(path)


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
