"""Where the database is: a file for SQLite, or a database on a PostgreSQL server. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

DEFAULT_DATABASE = "newsbell.db"  #: beside feeds.yaml
SCHEMES = ("postgresql", "postgres")
PASSWORD_VARIABLE = "NEWSBELL_DATABASE_PASSWORD"  # noqa: S105 (a name)
#: what the address may say besides (PostgreSQL 14, 34.1.2 "Parameter Key Words")
OPTIONS = frozenset(
    "host port user sslmode sslrootcert sslcert sslkey sslcrl channel_binding gssencmode "
    "connect_timeout target_session_attrs service passfile application_name keepalives_idle "
    "keepalives_interval keepalives_count tcp_user_timeout".split()
)


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A database on a PostgreSQL server."""

    url: str  #: without a password
    password: str = field(default="", repr=False)  #: empty: as the server and libpq have it
    #: where people wrote the address, and where they would write a password
    written_in: str = field(default="settings.database", compare=False)
    password_in: str = field(
        default=f"settings.database_password_file, or {PASSWORD_VARIABLE}", compare=False
    )

    def __str__(self) -> str:
        """Return the address for people: server and name, without options."""
        parts = urlsplit(self.url)
        options = dict(parse_qsl(parts.query))
        user = f"{parts.username or options.get('user')}@" if parts.username else ""
        return f"postgresql://{user}{parts.netloc.rpartition('@')[2]}{parts.path}"

    def with_password(self, password: str) -> "PostgresAddress":
        """Return the address with a password."""
        return replace(self, password=password)


DatabaseAddress: TypeAlias = Path | PostgresAddress


def is_server(text: str) -> bool:
    """Whether a text means a database on a server, and not a file."""
    return text.partition("://")[0].casefold() in SCHEMES and "://" in text


def postgres_address(text: str, environment: Mapping[str, str]) -> PostgresAddress:
    """Return the address that a text names.

    Raises ValueError, with what is wrong with it; a password is never in it.
    """
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("expected postgresql://USER@HOST:PORT/DATABASE") from None
    if parts.password is not None or "password" in dict(parse_qsl(parts.query)):
        raise ValueError(
            "the password does not belong into the address: put it into the file of "
            f"settings.database_password_file, or into the variable {PASSWORD_VARIABLE}"
        )
    if not unquote(parts.path).strip("/"):
        raise ValueError("expected the name of the database: postgresql://USER@HOST/DATABASE")
    unknown = sorted(set(dict(parse_qsl(parts.query, keep_blank_values=True))) - OPTIONS)
    if unknown:
        known = ", ".join(sorted(OPTIONS))
        raise ValueError(f"the option {unknown[0]} is not known; known: {known}")
    return PostgresAddress(text, environment.get(PASSWORD_VARIABLE, ""))
