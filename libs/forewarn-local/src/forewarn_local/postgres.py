"""A real PostgreSQL server as a child process, reachable by TCP with a password."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
from psycopg import conninfo, sql

from forewarn_local.errors import StartFailedError
from forewarn_local.pgprograms import Account, PostgresPrograms, data_major, find_programs, open_path, server_account
from forewarn_local.ports import HOST
from forewarn_local.server import LocalServer
from forewarn_local.spawn import start

USER = "forewarn"
DATABASE = "forewarn"
_POLL_S = 0.05
_SURVIVORS_TIMEOUT_S = 10.0  # backends notice their postmaster's death within a second or two
_INITDB_TIMEOUT_S = 120.0

_SETTINGS = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
shared_buffers = 128MB
max_wal_size = 1GB
checkpoint_timeout = 15min
wal_level = minimal
max_wal_senders = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
logging_collector = off
"""


class PostgresServer(LocalServer):
    """One PostgreSQL cluster with the database ``forewarn``, on 127.0.0.1.

    The password of the role ``forewarn`` is set when the cluster is created. The default is random, which suits only a
    server that does not outlive this object.
    """

    title = "PostgreSQL"
    orderly_stop = signal.SIGINT  # a "fast" shutdown: sessions are ended

    def __init__(self, data_dir: Path, *, port: int = 0, password: str | None = None, log: Path | None = None) -> None:
        self.data_dir = data_dir.absolute()
        super().__init__(port=port, log=log or self.data_dir.with_name(f"{self.data_dir.name}.log"))
        self.password = password or secrets.token_urlsafe(24)
        self.opened: list[Path] = []  # directories that got o+x for the server's user
        self._programs: PostgresPrograms | None = None
        self._account: Account | None = None

    @property
    def url(self) -> str:
        """Return the connection URL of the database."""
        return self.url_of(DATABASE)

    @property
    def programs(self) -> PostgresPrograms:
        """Return the installation this cluster runs on."""
        if self._programs is None:
            self._programs = find_programs(data_major(self.data_dir))
        return self._programs

    @property
    def account(self) -> Account:
        """Return the system user the server runs as."""
        if self._account is None:
            self._account = server_account()
        return self._account

    def url_of(self, database: str) -> str:
        """Return the connection URL of any database of the cluster."""
        return f"postgresql://{USER}:{self.password}@{HOST}:{self._port}/{database}"

    def prepare(self) -> list[str]:
        """Create the cluster once, write the configuration, clear the remains of a crash.

        Return the command that runs the server in the foreground, as :attr:`account`.
        """
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        if self.account.uid is not None:
            self.opened = open_path(self.data_dir) + open_path(self.programs.bin_dir / "postgres")
        if data_major(self.data_dir) is None:
            self._initdb()
        preload = "shared_preload_libraries = 'timescaledb'\n" if self.programs.has_timescaledb else ""
        (self.data_dir / "forewarn.conf").write_text(f"{_SETTINGS}{preload}port = {self._port}\n")
        self._wait_for_survivors()
        return [str(self.programs.bin_dir / "postgres"), "-D", str(self.data_dir)]

    def launch(self) -> "subprocess.Popen[bytes]":
        """Start the server's process."""
        return start(self.prepare(), log=self.log, user=self.account.uid, group=self.account.gid, cwd=Path("/"))

    def why_not_ready(self) -> str | None:
        """Return why the database does not accept queries; None if it does, and create it if missing.

        Another server on the port would not know the password.
        """
        try:
            self._ensure_database()
        except psycopg.OperationalError as exc:
            return str(exc).strip()
        return None

    def create_database(self, name: str) -> str:
        """Create an empty database and return its URL.

        From ``template0``, which allows no connections: PostgreSQL refuses to copy a template in use, and background
        sessions visit ``template1``.
        """
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, if it exists, disconnecting its clients."""
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _ensure_database(self) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True, connect_timeout=5) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            self.create_database(DATABASE)

    def _initdb(self) -> None:
        """Create the cluster in a scratch directory and rename it, so that a crash leaves no incomplete one."""
        scratch = Path(tempfile.mkdtemp(prefix=f".{self.data_dir.name}-", dir=self.data_dir.parent))
        password_file = scratch / "password"
        cluster = scratch / "cluster"
        password_file.write_text(self.password)
        password_file.chmod(0o600)
        uid, gid = self.account.uid, self.account.gid
        if uid is not None and gid is not None:
            os.chown(scratch, uid, gid)
            os.chown(password_file, uid, gid)
        run = subprocess.run(
            [
                str(self.programs.bin_dir / "initdb"),
                *("--pgdata", str(cluster), "--username", USER, "--pwfile", str(password_file)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-instructions"),
            ],
            capture_output=True,
            text=True,
            timeout=_INITDB_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            user=uid,
            group=gid,
            extra_groups=[] if uid is not None else None,
            cwd="/",
            check=False,
        )
        if run.returncode != 0:
            shutil.rmtree(scratch, ignore_errors=True)
            raise StartFailedError(f"The database could not be created.\n{run.stdout}{run.stderr}")
        with (cluster / "postgresql.conf").open("a") as stream:
            stream.write("\ninclude 'forewarn.conf'\n")
        if self.data_dir.is_dir():
            self.data_dir.rmdir()
        cluster.rename(self.data_dir)
        shutil.rmtree(scratch, ignore_errors=True)

    def _wait_for_survivors(self) -> None:
        """Wait for the backends of a killed postmaster: they hold shared memory, which blocks a start."""
        deadline = time.monotonic() + _SURVIVORS_TIMEOUT_S
        while survivors := processes_in(self.data_dir):
            if time.monotonic() > deadline:
                for process in survivors:
                    process.kill()
            time.sleep(_POLL_S)
        # its pid may belong to another process by now, and the server would refuse to start
        (self.data_dir / "postmaster.pid").unlink(missing_ok=True)


def processes_in(data_dir: Path) -> list[psutil.Process]:
    """Return the cluster's server processes: their working directory is the cluster."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and process.cwd() == str(data_dir):
                found.append(process)
        except psutil.Error:
            continue
    return found


def timescaledb_version(url: str) -> str | None:
    """Return the TimescaleDB version that a server can install."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        row = connection.execute(
            "SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'"
        ).fetchone()
    return str(row[0]) if row is not None else None


def redacted(url: str) -> str:
    """Return a connection URL without the password."""
    values = conninfo.conninfo_to_dict(url)
    return f"{values.get('host', '')}:{values.get('port', 5432)}/{values.get('dbname', '')}"
