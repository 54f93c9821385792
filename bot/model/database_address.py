"""Where the database is: a file for SQLite, or a database on a PostgreSQL server. No I/O."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A database on a PostgreSQL server."""

    conninfo: str = field(repr=False)  #: for the driver, with the password
    shown: str  #: for people: without password and options

    def __str__(self) -> str:
        return self.shown


DatabaseAddress: TypeAlias = Path | PostgresAddress
