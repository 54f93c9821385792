"""Connections to a server that are encrypted: who it is, is checked, and what is wrong is said."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from postgres_server import Options, postgres_server

from bot.errors import StoreError
from bot.model.database_address import PostgresAddress
from bot.store.read_only import reader_of

pytestmark = pytest.mark.own_engine("a file has no network")

NAME = "newsbell"


@dataclass(frozen=True)
class Encrypted:
    """A server that encrypts, and certificates in a folder: its own, and another one."""

    port: int
    folder: Path

    def address(self, host: str = "localhost", root: str = "own.crt") -> PostgresAddress:
        """The address of a database; the server has to be who it says."""
        options = f"sslmode=verify-full&sslrootcert={self.folder / root}"
        return PostgresAddress(f"postgresql://newsbell@{host}:{self.port}/{NAME}?{options}")


def certify(folder: Path, name: str) -> None:
    """Make a key and a certificate for `localhost`, signed by itself."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl here, which makes the certificates")
    subprocess.run(  # noqa: S603 (a program of the machine)
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("own", "other"):
        certify(folder, name)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    rules = ("hostssl all all samehost trust",)
    with postgres_server(Options(listens="127.0.0.1", rules=rules, port=port)) as server:
        try:
            server.encrypt(folder / "own.key", folder / "own.crt")
        except psycopg.Error as error:
            pytest.skip(f"this PostgreSQL cannot encrypt: {error}")
        server.database(NAME)
        yield Encrypted(port, folder)


def test_a_server_that_is_who_it_says_is_used_and_nobody_reads_along(encrypted: Encrypted) -> None:
    with reader_of(encrypted.address()).open() as db:
        row = db.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()").fetchone()
    assert row["ssl"]


@pytest.mark.parametrize(
    ("host", "root"),
    [("localhost", "other.crt"), ("127.0.0.1", "own.crt"), ("localhost", "none.crt")],
    ids=["another certificate", "another name", "no certificate"],
)
def test_a_server_that_may_be_another_one_is_refused_and_the_settings_are_named(
    encrypted: Encrypted, host: str, root: str
) -> None:
    said = r"cannot be opened: .*certificate.* Check sslmode and sslrootcert in settings\.database"
    with pytest.raises(StoreError, match=said), reader_of(encrypted.address(host, root)).open():
        pass
